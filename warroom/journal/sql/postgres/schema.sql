-- Where warroom keeps its journal; the row of the highest number is the version.
CREATE SCHEMA warroom;

CREATE TABLE warroom.version (
  number integer PRIMARY KEY,
  reached_at timestamptz NOT NULL DEFAULT now()
);
