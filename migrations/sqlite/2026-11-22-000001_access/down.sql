DROP TABLE request_log;
DROP TABLE api_keys;
DROP TABLE bots;
DROP TABLE users;
DROP TABLE organizations;
DROP TABLE server_settings;
