// A relationship at a run, or at a community that it made, which is none of ours.
MATCH (r:Run {id: $run})-[e]-(other)
WHERE NOT (type(e) = 'OF' AND 'Site' IN labels(other) OR type(e) = 'MEASURED_IN' AND 'Feature' IN labels(other))
RETURN 'Run' AS label, r.id AS id, type(e) AS type
LIMIT 1
UNION ALL
MATCH (c:Community {run: $run})-[e]-(other)
WHERE NOT (type(e) = 'MEMBER_OF' AND 'Feature' IN labels(other))
RETURN 'Community' AS label, c.id AS id, type(e) AS type
LIMIT 1
