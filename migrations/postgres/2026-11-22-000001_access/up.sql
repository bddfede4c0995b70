CREATE TABLE server_settings (
  name  TEXT PRIMARY KEY,
  value BYTEA NOT NULL
);

CREATE TABLE organizations (
  id                  UUID PRIMARY KEY,
  slug                TEXT NOT NULL UNIQUE,
  display_name        TEXT NOT NULL,
  donation_keyword    TEXT NOT NULL,
  donation_app_ids    JSONB NOT NULL,
  claim_ttl_seconds   INTEGER NOT NULL,
  adopt_unknown_items BOOLEAN NOT NULL,
  created_at          TIMESTAMPTZ NOT NULL,
  updated_at          TIMESTAMPTZ NOT NULL
);

CREATE TABLE users (
  org_id             UUID NOT NULL REFERENCES organizations (id),
  steam_id           BIGINT NOT NULL,
  display_name       TEXT NOT NULL,
  avatar_url         TEXT NOT NULL,
  profile_url        TEXT NOT NULL,
  account_created_at TIMESTAMPTZ,
  country_code       TEXT NOT NULL,
  trade_token        TEXT,
  first_seen_at      TIMESTAMPTZ NOT NULL,
  last_seen_at       TIMESTAMPTZ NOT NULL,
  created_at         TIMESTAMPTZ NOT NULL,
  updated_at         TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (org_id, steam_id)
);

CREATE TABLE bots (
  id                  UUID PRIMARY KEY,
  org_id              UUID NOT NULL REFERENCES organizations (id),
  steam_id            BIGINT NOT NULL UNIQUE,
  display_name        TEXT NOT NULL,
  paused              BOOLEAN NOT NULL,
  lease_epoch         BIGINT NOT NULL,
  lease_holder        TEXT,
  lease_expires_at    TIMESTAMPTZ,
  event_seq           BIGINT NOT NULL,
  steam_status        TEXT NOT NULL,
  steam_status_detail TEXT NOT NULL,
  last_seen_at        TIMESTAMPTZ,
  created_at          TIMESTAMPTZ NOT NULL,
  updated_at          TIMESTAMPTZ NOT NULL
);
CREATE INDEX bots_of_org ON bots (org_id, created_at, id);

CREATE TABLE api_keys (
  id           TEXT PRIMARY KEY,
  kind         TEXT NOT NULL CHECK (kind IN ('ADMIN', 'CLIENT', 'BOT')),
  display_name TEXT NOT NULL,
  org_id       UUID REFERENCES organizations (id),
  bot_id       UUID REFERENCES bots (id),
  secret_hash  BYTEA NOT NULL,
  scopes       JSONB NOT NULL,
  expires_at   TIMESTAMPTZ,
  created_at   TIMESTAMPTZ NOT NULL,
  last_used_at TIMESTAMPTZ,
  revoked_at   TIMESTAMPTZ
);

CREATE TABLE request_log (
  key_id       TEXT NOT NULL,
  request_id   UUID NOT NULL,
  method       TEXT NOT NULL,
  request_hash BYTEA NOT NULL,
  response     BYTEA NOT NULL,
  created_at   TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (key_id, request_id)
);
CREATE INDEX request_log_age ON request_log (created_at);
