-- Events get their place in the log in the transaction that writes them: the one writer gives it
-- before it commits.
CREATE TABLE event_chain (
  one    INTEGER PRIMARY KEY DEFAULT 1 CHECK (one = 1),
  log_id BLOB NOT NULL
) STRICT;
INSERT INTO event_chain (log_id)
  SELECT coalesce((SELECT value FROM server_settings WHERE name = 'log_id'), randomblob(16));

-- Rows are only ever added.
CREATE TABLE event_log (
  position     INTEGER PRIMARY KEY,
  seq          INTEGER NOT NULL UNIQUE,
  org_id       BLOB,
  org_position INTEGER,
  personal     BLOB,
  leaf         BLOB NOT NULL,
  hash         BLOB NOT NULL,
  org_hash     BLOB,
  CHECK ((org_id IS NULL) = (org_position IS NULL) AND (org_id IS NULL) = (org_hash IS NULL))
) STRICT;
CREATE UNIQUE INDEX event_log_of_org ON event_log (org_id, position) WHERE org_id IS NOT NULL;

-- What tells of a person is kept apart, so that it can be erased without breaking the chain.
ALTER TABLE system_events ADD COLUMN personal_salt BLOB;
ALTER TABLE system_events ADD COLUMN personal_data TEXT
  CHECK (personal_data IS NULL OR json_valid(personal_data));

-- tx and system_events_tail are read by the version before this one only.
DROP INDEX system_events_of_item;
DROP INDEX system_events_of_assignment;
CREATE INDEX system_events_of_item ON system_events (item_id, seq) WHERE item_id IS NOT NULL;
CREATE INDEX system_events_of_assignment ON system_events (assignment_id, seq)
  WHERE assignment_id IS NOT NULL;
CREATE INDEX system_events_of_user ON system_events (user_id, seq) WHERE user_id IS NOT NULL;
