-- Version 2: what a console is about to do.
-- Its kinds of event are those before and mitigation verified, approval, lock.

ALTER TABLE warroom.presence ADD COLUMN doing text NOT NULL DEFAULT '';
