DROP TABLE items;
DROP TABLE reservations;
