SELECT DISTINCT version FROM prices
