-- Version 3: what a console is about to do.
-- Its kinds of event are those before and mitigation verified, approval, lock.

ALTER TABLE presence ADD COLUMN doing TEXT NOT NULL DEFAULT '';
