-- A session is a key that was made from another one, for hours, and ends with it.
ALTER TABLE api_keys ADD COLUMN session_of TEXT;
CREATE INDEX api_keys_sessions ON api_keys (session_of) WHERE session_of IS NOT NULL;
CREATE INDEX api_keys_sessions_age ON api_keys (expires_at) WHERE session_of IS NOT NULL;
