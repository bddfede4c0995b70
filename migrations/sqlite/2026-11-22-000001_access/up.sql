CREATE TABLE server_settings (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT;

CREATE TABLE organizations (
  id                  BLOB PRIMARY KEY,
  slug                TEXT NOT NULL UNIQUE,
  display_name        TEXT NOT NULL,
  donation_keyword    TEXT NOT NULL,
  donation_app_ids    TEXT NOT NULL CHECK (json_valid(donation_app_ids)),
  claim_ttl_seconds   INTEGER NOT NULL,
  adopt_unknown_items INTEGER NOT NULL,
  created_at          INTEGER NOT NULL,
  updated_at          INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
  org_id             BLOB NOT NULL REFERENCES organizations (id),
  steam_id           INTEGER NOT NULL,
  display_name       TEXT NOT NULL,
  avatar_url         TEXT NOT NULL,
  profile_url        TEXT NOT NULL,
  account_created_at INTEGER,
  country_code       TEXT NOT NULL,
  trade_token        TEXT,
  first_seen_at      INTEGER NOT NULL,
  last_seen_at       INTEGER NOT NULL,
  created_at         INTEGER NOT NULL,
  updated_at         INTEGER NOT NULL,
  PRIMARY KEY (org_id, steam_id)
) STRICT;

CREATE TABLE bots (
  id                  BLOB PRIMARY KEY,
  org_id              BLOB NOT NULL REFERENCES organizations (id),
  steam_id            INTEGER NOT NULL UNIQUE,
  display_name        TEXT NOT NULL,
  paused              INTEGER NOT NULL,
  lease_epoch         INTEGER NOT NULL,
  lease_holder        TEXT,
  lease_expires_at    INTEGER,
  event_seq           INTEGER NOT NULL,
  steam_status        TEXT NOT NULL,
  steam_status_detail TEXT NOT NULL,
  last_seen_at        INTEGER,
  created_at          INTEGER NOT NULL,
  updated_at          INTEGER NOT NULL
) STRICT;
CREATE INDEX bots_of_org ON bots (org_id, created_at, id);

CREATE TABLE api_keys (
  id           TEXT PRIMARY KEY,
  kind         TEXT NOT NULL CHECK (kind IN ('ADMIN', 'CLIENT', 'BOT')),
  display_name TEXT NOT NULL,
  org_id       BLOB REFERENCES organizations (id),
  bot_id       BLOB REFERENCES bots (id),
  secret_hash  BLOB NOT NULL,
  scopes       TEXT NOT NULL CHECK (json_valid(scopes)),
  expires_at   INTEGER,
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER,
  revoked_at   INTEGER
) STRICT;

CREATE TABLE request_log (
  key_id       TEXT NOT NULL,
  request_id   BLOB NOT NULL,
  method       TEXT NOT NULL,
  request_hash BLOB NOT NULL,
  response     BLOB NOT NULL,
  created_at   INTEGER NOT NULL,
  PRIMARY KEY (key_id, request_id)
) STRICT;
CREATE INDEX request_log_age ON request_log (created_at);
