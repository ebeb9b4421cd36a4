-- What every writer does at present, the oldest wish first.
SELECT
    writer,
    max(write_claims.step) AS step,
    argMax(write_claims.state, write_claims.step) AS state,
    toUnixTimestamp64Micro(argMax(write_claims.since, write_claims.step)) AS since,
    argMax(write_claims.valid_until, write_claims.step) > now64(6) AS valid
FROM write_claims
GROUP BY writer
ORDER BY since, writer
