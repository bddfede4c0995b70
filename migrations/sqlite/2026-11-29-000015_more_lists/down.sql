DROP INDEX donations_under_way;
DROP INDEX items_at_bot;
DROP INDEX donations_of_bot_by_change;
DROP INDEX items_by_name_of_all;
