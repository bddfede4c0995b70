DROP INDEX api_keys_sessions_age;
DROP INDEX api_keys_sessions;
DELETE FROM api_keys WHERE session_of IS NOT NULL;
ALTER TABLE api_keys DROP COLUMN session_of;
