-- What happened on each day, counted from the log: of everything (ALL, with an empty key) and of each
-- method, system, person, game and bot.
CREATE TABLE report_days (
  org_id             BLOB NOT NULL REFERENCES organizations (id),
  dimension          TEXT NOT NULL,
  key                TEXT NOT NULL,
  day                INTEGER NOT NULL,
  created            INTEGER NOT NULL,
  delivered          INTEGER NOT NULL,
  settled            INTEGER NOT NULL,
  reversed           INTEGER NOT NULL,
  failed             INTEGER NOT NULL,
  cancelled          INTEGER NOT NULL,
  expired            INTEGER NOT NULL,
  delivery_seconds   INTEGER NOT NULL,
  items_given        INTEGER NOT NULL,
  items_reversed     INTEGER NOT NULL,
  given_cents        INTEGER NOT NULL,
  donations          INTEGER NOT NULL,
  donations_declined INTEGER NOT NULL,
  items_received     INTEGER NOT NULL,
  items_adopted      INTEGER NOT NULL,
  received_cents     INTEGER NOT NULL,
  PRIMARY KEY (org_id, dimension, day, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX report_days_of_key ON report_days (org_id, dimension, key, day);
CREATE INDEX report_days_of_all ON report_days (dimension, day);

-- Events of each hour.
CREATE TABLE report_hours (
  org_id BLOB NOT NULL REFERENCES organizations (id),
  hour   INTEGER NOT NULL,
  events INTEGER NOT NULL,
  PRIMARY KEY (org_id, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX report_hours_of_all ON report_hours (hour);

-- Up to where the log is counted.
CREATE TABLE report_place (
  one      INTEGER PRIMARY KEY DEFAULT 1 CHECK (one = 1),
  position INTEGER NOT NULL
) STRICT;
INSERT INTO report_place (position) VALUES (0);

-- Items are counted by bot, state and game in the index alone, assignments under way by state.
DROP INDEX items_of_bot;
CREATE INDEX items_of_bot ON items (bot_id, state, steam_app_id);
CREATE INDEX assignments_open ON assignments (org_id, state, created_at, id)
  WHERE state IN ('QUEUED', 'DELIVERING', 'OFFERED', 'HELD', 'BLOCKED', 'DELIVERED');
