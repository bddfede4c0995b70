DROP TABLE delivery_attempts;
DROP TABLE assignment_items;
DROP TABLE assignments;
