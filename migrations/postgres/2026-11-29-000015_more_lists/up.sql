-- The list of all organisations' items by name, as those of one have theirs.
CREATE INDEX items_by_name_of_all ON items (item_name, id);
-- What a bot asks at the start of a session: which of its donations changed since.
CREATE INDEX donations_of_bot_by_change ON donations (bot_id, updated_at);
-- What a sync compares with the bot's inventory, which is little beside what the bot gave away.
CREATE INDEX items_at_bot ON items (bot_id, id) WHERE state NOT IN ('DELIVERED', 'WITHDRAWN');
-- What a bot has to answer.
CREATE INDEX donations_under_way ON donations (bot_id, created_at, id)
  WHERE state IN ('ACCEPTING', 'DECLINING', 'ACCEPTED');
