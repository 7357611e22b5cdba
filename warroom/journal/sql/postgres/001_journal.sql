-- Version 1: incidents and their events, who is looking, and the figures around an incident. A
-- new kind of event is a new version too, because an older warroom could not read it.

CREATE TABLE warroom.incident (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- in the order of opening
  id text NOT NULL UNIQUE,                                 -- INC-YYYY-MM-DD-NNN
  day text NOT NULL,                                       -- UTC; empty for an id of other form
  of_day integer NOT NULL,                                 -- the NNN
  origin text NOT NULL DEFAULT '',                         -- where it was imported from
  sealed_as text NOT NULL,                                 -- its id as the digests cover it
  UNIQUE (day, of_day)
);

CREATE TABLE warroom.event (
  incident bigint NOT NULL REFERENCES warroom.incident (number),
  seq bigint NOT NULL,
  id text NOT NULL,
  at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  login text NOT NULL,
  uid bigint NOT NULL,
  origin text NOT NULL,
  kind text NOT NULL,
  text text NOT NULL,
  data text NOT NULL,        -- JSON, keys sorted, as the digest covers it: jsonb would change it
  starred boolean NOT NULL,
  internal boolean NOT NULL,
  previous text NOT NULL,
  digest text NOT NULL,
  PRIMARY KEY (incident, seq)
);

-- What makes appending the same draft twice store it once; by id alone for the opening.
CREATE UNIQUE INDEX event_once ON warroom.event (id, incident);

-- What an incident's title, severity and status follow from.
CREATE INDEX event_of_state ON warroom.event (incident, seq)
WHERE kind IN ('opened', 'severity', 'status', 'amended', 'retracted');

CREATE TABLE warroom.presence (
  incident bigint NOT NULL REFERENCES warroom.incident (number),
  console text NOT NULL,
  login text NOT NULL,
  uid bigint NOT NULL,
  origin text NOT NULL,
  seen_at timestamptz NOT NULL,  -- by the server's clock: the consoles' clocks may differ
  PRIMARY KEY (incident, console)
);

CREATE TABLE warroom.reading (
  incident bigint NOT NULL REFERENCES warroom.incident (number),
  source text NOT NULL,
  second bigint NOT NULL,        -- since 1970, of `at`: of two in the same one the first stays
  at timestamptz NOT NULL,
  metrics text NOT NULL,         -- JSON
  PRIMARY KEY (incident, source, second)
);

-- The incident's row, locked until the transaction ends, with the end of its chain. A function,
-- because a row lock wants the right to UPDATE, which nobody has who only appends; in steps,
-- because only a statement that begins after the lock was had sees what was committed before it.
CREATE FUNCTION warroom.hold(wanted text)
RETURNS TABLE (number bigint, sealed_as text, seq bigint, digest text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  SELECT i.number, i.sealed_as INTO number, sealed_as
  FROM warroom.incident i WHERE i.id = wanted FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  SELECT e.seq, e.digest INTO seq, digest FROM warroom.event e
  WHERE e.incident = hold.number ORDER BY e.seq DESC LIMIT 1;
  seq := coalesce(seq, 0);
  digest := coalesce(digest, '');
  RETURN NEXT;
END
$$;

-- Whoever inserts by other means than warroom gets the same lock, and no other place in the chain.
CREATE FUNCTION warroom.follows() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  last_seq bigint;
  last_digest text;
BEGIN
  PERFORM 1 FROM warroom.incident i WHERE i.number = NEW.incident FOR NO KEY UPDATE;
  SELECT e.seq, e.digest INTO last_seq, last_digest FROM warroom.event e
  WHERE e.incident = NEW.incident ORDER BY e.seq DESC LIMIT 1;
  IF NEW.seq <> coalesce(last_seq, 0) + 1 OR NEW.previous <> coalesce(last_digest, '') THEN
    RAISE EXCEPTION 'an event takes the next sequence of its incident';
  END IF;
  RETURN NEW;
END
$$;

CREATE FUNCTION warroom.stays() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'the journal is append-only';
END
$$;

-- It only wakes: what was written is read from the tables.
CREATE FUNCTION warroom.wakes() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_notify('warroom', '');
  RETURN NULL;
END
$$;

CREATE TRIGGER event_follows BEFORE INSERT ON warroom.event
FOR EACH ROW EXECUTE PROCEDURE warroom.follows();

CREATE TRIGGER event_wakes AFTER INSERT ON warroom.event
FOR EACH STATEMENT EXECUTE PROCEDURE warroom.wakes();

CREATE TRIGGER event_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON warroom.event
FOR EACH STATEMENT EXECUTE PROCEDURE warroom.stays();

CREATE TRIGGER incident_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON warroom.incident
FOR EACH STATEMENT EXECUTE PROCEDURE warroom.stays();

-- Also where session_replication_role says that triggers do not fire.
ALTER TABLE warroom.event ENABLE ALWAYS TRIGGER event_stays;
ALTER TABLE warroom.incident ENABLE ALWAYS TRIGGER incident_stays;

REVOKE ALL ON FUNCTION warroom.hold(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION warroom.follows() FROM PUBLIC;
REVOKE ALL ON FUNCTION warroom.stays() FROM PUBLIC;
REVOKE ALL ON FUNCTION warroom.wakes() FROM PUBLIC;
