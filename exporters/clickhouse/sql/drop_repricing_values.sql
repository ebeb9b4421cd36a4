DROP TABLE IF EXISTS repricing_values
