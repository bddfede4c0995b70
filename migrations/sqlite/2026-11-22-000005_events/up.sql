-- Read in the order (tx, seq). One writer commits at a time, so that seq alone is the order.
CREATE TABLE system_events (
  seq               INTEGER PRIMARY KEY AUTOINCREMENT,
  tx                INTEGER NOT NULL DEFAULT 0,
  id                BLOB NOT NULL,
  org_id            BLOB,
  event_type        TEXT NOT NULL,
  event_category    TEXT NOT NULL,
  event_description TEXT NOT NULL,
  user_id           INTEGER,
  item_id           BLOB,
  assignment_id     BLOB,
  bot_id            BLOB,
  external_system   TEXT,
  event_data        TEXT NOT NULL CHECK (json_valid(event_data)),
  severity          TEXT NOT NULL CHECK (severity IN ('INFO', 'WARNING', 'ERROR')),
  source            TEXT NOT NULL,
  created_at        INTEGER NOT NULL
) STRICT;
CREATE INDEX system_events_tail ON system_events (tx, seq);
CREATE INDEX system_events_of_item ON system_events (item_id, tx, seq) WHERE item_id IS NOT NULL;
CREATE INDEX system_events_of_assignment ON system_events (assignment_id, tx, seq)
  WHERE assignment_id IS NOT NULL;
