-- Lets a role read the journal and append to it, and nothing else. The schema's owner runs it.
GRANT USAGE ON SCHEMA warroom TO {role};
GRANT SELECT ON ALL TABLES IN SCHEMA warroom TO {role};
GRANT INSERT ON warroom.incident, warroom.event, warroom.reading TO {role};
GRANT INSERT, UPDATE, DELETE ON warroom.presence TO {role};
GRANT EXECUTE ON FUNCTION warroom.hold(text) TO {role};
