-- Calls a second that a key has of its own; 0: the usual.
ALTER TABLE api_keys ADD COLUMN read_rate INTEGER NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN write_rate INTEGER NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN stream_rate INTEGER NOT NULL DEFAULT 0;
