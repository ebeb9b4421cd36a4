-- A condition: not of a day that these expiries let expire.
AND (project, toDate(start_time)) NOT IN (SELECT project, until - 1 FROM expiries WHERE entry IN {half_expired:Array(String)})
