-- Version 1: incidents and their events. A new kind of event is a new version too, because an
-- older warroom could not read it.

CREATE TABLE incident (
  number INTEGER PRIMARY KEY,  -- in the order of opening
  id TEXT NOT NULL UNIQUE,     -- INC-YYYY-MM-DD-NNN
  day TEXT NOT NULL,           -- UTC
  of_day INTEGER NOT NULL,     -- the NNN
  UNIQUE (day, of_day)
) STRICT;

CREATE TABLE event (
  incident INTEGER NOT NULL REFERENCES incident (number),
  seq INTEGER NOT NULL,
  id TEXT NOT NULL,
  at TEXT NOT NULL,            -- ISO 8601, UTC, like recorded_at
  recorded_at TEXT NOT NULL,
  login TEXT NOT NULL,
  uid INTEGER NOT NULL,
  origin TEXT NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL,
  data TEXT NOT NULL,          -- JSON, keys sorted, as the digest covers it
  starred INTEGER NOT NULL CHECK (starred IN (0, 1)),
  internal INTEGER NOT NULL CHECK (internal IN (0, 1)),
  previous TEXT NOT NULL,
  digest TEXT NOT NULL,
  PRIMARY KEY (incident, seq)
) STRICT;

-- What an incident's title, severity and status follow from.
CREATE INDEX event_of_state ON event (incident, seq)
WHERE kind IN ('opened', 'severity', 'status', 'amended', 'retracted');

CREATE TRIGGER event_follows BEFORE INSERT ON event
WHEN NEW.seq <> 1 + (SELECT coalesce(max(seq), 0) FROM event WHERE incident = NEW.incident)
BEGIN
  SELECT RAISE(ABORT, 'an event takes the next sequence of its incident');
END;

CREATE TRIGGER event_stays BEFORE UPDATE ON event
BEGIN
  SELECT RAISE(ABORT, 'the journal is append-only');
END;

CREATE TRIGGER event_remains BEFORE DELETE ON event
BEGIN
  SELECT RAISE(ABORT, 'the journal is append-only');
END;

CREATE TRIGGER incident_stays BEFORE UPDATE ON incident
BEGIN
  SELECT RAISE(ABORT, 'the journal is append-only');
END;

CREATE TRIGGER incident_remains BEFORE DELETE ON incident
BEGIN
  SELECT RAISE(ABORT, 'the journal is append-only');
END;
