-- Version 2: drafts that are stored once, incidents from elsewhere, who is looking, and figures.
-- Its kinds of event are those before and hypothesis, update, overdue, snoozed.

-- What makes appending the same draft twice store it once; by id alone for the opening.
CREATE UNIQUE INDEX event_once ON event (id, incident);

-- Where it was imported from, and the id that its digests cover when another incident here has
-- that one; both empty for this journal's own. An incident whose id is not of the form
-- INC-YYYY-MM-DD-NNN has no day.
ALTER TABLE incident ADD COLUMN origin TEXT NOT NULL DEFAULT '';
ALTER TABLE incident ADD COLUMN sealed_as TEXT NOT NULL DEFAULT '';

CREATE TABLE presence (
  incident INTEGER NOT NULL REFERENCES incident (number),
  console TEXT NOT NULL,
  login TEXT NOT NULL,
  uid INTEGER NOT NULL,
  origin TEXT NOT NULL,
  seen_at REAL NOT NULL,       -- seconds since 1970
  PRIMARY KEY (incident, console)
) STRICT, WITHOUT ROWID;

CREATE TABLE reading (
  incident INTEGER NOT NULL REFERENCES incident (number),
  second INTEGER NOT NULL,     -- since 1970, of `at`: of two in the same one the first stays
  source TEXT NOT NULL,
  at TEXT NOT NULL,            -- ISO 8601, UTC
  metrics TEXT NOT NULL,       -- JSON
  PRIMARY KEY (incident, second, source)
) STRICT, WITHOUT ROWID;
