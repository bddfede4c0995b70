-- What happened on each day, counted from the log: of everything (ALL, with an empty key) and of each
-- method, system, person, game and bot.
CREATE TABLE report_days (
  org_id             UUID NOT NULL REFERENCES organizations (id),
  dimension          TEXT NOT NULL,
  key                TEXT NOT NULL,
  day                INTEGER NOT NULL,
  created            BIGINT NOT NULL,
  delivered          BIGINT NOT NULL,
  settled            BIGINT NOT NULL,
  reversed           BIGINT NOT NULL,
  failed             BIGINT NOT NULL,
  cancelled          BIGINT NOT NULL,
  expired            BIGINT NOT NULL,
  delivery_seconds   BIGINT NOT NULL,
  items_given        BIGINT NOT NULL,
  items_reversed     BIGINT NOT NULL,
  given_cents        BIGINT NOT NULL,
  donations          BIGINT NOT NULL,
  donations_declined BIGINT NOT NULL,
  items_received     BIGINT NOT NULL,
  items_adopted      BIGINT NOT NULL,
  received_cents     BIGINT NOT NULL,
  PRIMARY KEY (org_id, dimension, day, key)
);
CREATE INDEX report_days_of_key ON report_days (org_id, dimension, key, day);
CREATE INDEX report_days_of_all ON report_days (dimension, day);

-- Events of each hour.
CREATE TABLE report_hours (
  org_id UUID NOT NULL REFERENCES organizations (id),
  hour   INTEGER NOT NULL,
  events BIGINT NOT NULL,
  PRIMARY KEY (org_id, hour)
);
CREATE INDEX report_hours_of_all ON report_hours (hour);

-- Up to where the log is counted.
CREATE TABLE report_place (
  one      INTEGER PRIMARY KEY DEFAULT 1 CHECK (one = 1),
  position BIGINT NOT NULL
);
INSERT INTO report_place (position) VALUES (0);

-- Items are counted by bot, state and game in the index alone, assignments under way by state.
DROP INDEX items_of_bot;
CREATE INDEX items_of_bot ON items (bot_id, state, steam_app_id);
CREATE INDEX assignments_open ON assignments (org_id, state, created_at, id)
  WHERE state IN ('QUEUED', 'DELIVERING', 'OFFERED', 'HELD', 'BLOCKED', 'DELIVERED');
