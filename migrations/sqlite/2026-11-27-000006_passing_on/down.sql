CREATE TABLE assignment_items_old (
  assignment_id            BLOB NOT NULL REFERENCES assignments (id),
  item_id                  BLOB NOT NULL REFERENCES items (id),
  org_id                   BLOB NOT NULL REFERENCES organizations (id),
  item_name_at_assignment  TEXT NOT NULL,
  item_value_at_assignment INTEGER,
  item_currency            TEXT,
  delivery_status          TEXT NOT NULL CHECK (delivery_status IN ('pending', 'delivered', 'returned')),
  delivered_at             INTEGER,
  delivered_asset_id       INTEGER,
  created_at               INTEGER NOT NULL,
  PRIMARY KEY (assignment_id, item_id)
) STRICT;
INSERT INTO assignment_items_old
  SELECT assignment_id, item_id, org_id, item_name_at_assignment, item_value_at_assignment,
         item_currency, replace(delivery_status, 'reversed', 'returned'), delivered_at,
         delivered_asset_id, created_at
  FROM assignment_items;
DROP TABLE assignment_items;
ALTER TABLE assignment_items_old RENAME TO assignment_items;

DROP INDEX delivery_attempts_of_trade;
DROP INDEX delivery_attempts_to_withdraw;
ALTER TABLE delivery_attempts DROP COLUMN withdraw_at;

ALTER TABLE users DROP COLUMN trade_token_set_at;

DROP INDEX assignments_blocked;
DROP INDEX assignments_queued;
CREATE INDEX assignments_queued ON assignments (bot_id, assignment_priority, created_at)
  WHERE state = 'QUEUED';
ALTER TABLE assignments DROP COLUMN reversed_at;
ALTER TABLE assignments DROP COLUMN heir;
ALTER TABLE assignments DROP COLUMN successor_id;
ALTER TABLE assignments DROP COLUMN predecessor_id;
ALTER TABLE assignments DROP COLUMN runner_up_user_ids;
ALTER TABLE assignments DROP COLUMN tries;
