CREATE TABLE IF NOT EXISTS places (name TEXT PRIMARY KEY, height INTEGER NOT NULL);
INSERT OR REPLACE INTO places VALUES ('Brocken', 1141), ('Feldberg', 1493), ('Zugspitze', 2962);
