ALTER TABLE assignments ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE assignments ADD COLUMN runner_up_user_ids TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(runner_up_user_ids));
ALTER TABLE assignments ADD COLUMN predecessor_id BLOB;
ALTER TABLE assignments ADD COLUMN successor_id BLOB;
ALTER TABLE assignments ADD COLUMN heir TEXT CHECK (json_valid(heir));
ALTER TABLE assignments ADD COLUMN reversed_at INTEGER;
UPDATE assignments SET tries = delivery_attempts;
-- Who waits longest goes first: what was withdrawn and queued again stands at the end.
DROP INDEX assignments_queued;
CREATE INDEX assignments_queued ON assignments (bot_id, assignment_priority DESC, next_attempt_at)
  WHERE state = 'QUEUED';
CREATE INDEX assignments_blocked ON assignments (bot_id, user_id) WHERE state = 'BLOCKED';

ALTER TABLE users ADD COLUMN trade_token_set_at INTEGER;

ALTER TABLE delivery_attempts ADD COLUMN withdraw_at INTEGER;
-- Offers that wait already, by the default of an organisation: 3 days.
UPDATE delivery_attempts SET withdraw_at = updated_at + 259200000000 WHERE phase = 'OFFERED';
CREATE INDEX delivery_attempts_to_withdraw ON delivery_attempts (withdraw_at)
  WHERE phase = 'OFFERED';
CREATE INDEX delivery_attempts_of_trade ON delivery_attempts (bot_id, trade_id)
  WHERE trade_id IS NOT NULL;

-- SQLite changes no CHECK.
CREATE TABLE assignment_items_new (
  assignment_id            BLOB NOT NULL REFERENCES assignments (id),
  item_id                  BLOB NOT NULL REFERENCES items (id),
  org_id                   BLOB NOT NULL REFERENCES organizations (id),
  item_name_at_assignment  TEXT NOT NULL,
  item_value_at_assignment INTEGER,
  item_currency            TEXT,
  delivery_status          TEXT NOT NULL CHECK (delivery_status IN ('pending', 'delivered', 'returned', 'reversed')),
  delivered_at             INTEGER,
  delivered_asset_id       INTEGER,
  created_at               INTEGER NOT NULL,
  given_asset_id           INTEGER,
  PRIMARY KEY (assignment_id, item_id)
) STRICT;
INSERT INTO assignment_items_new
  SELECT assignment_id, item_id, org_id, item_name_at_assignment, item_value_at_assignment,
         item_currency, delivery_status, delivered_at, delivered_asset_id, created_at, NULL
  FROM assignment_items;
DROP TABLE assignment_items;
ALTER TABLE assignment_items_new RENAME TO assignment_items;
