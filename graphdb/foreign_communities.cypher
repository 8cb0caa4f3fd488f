// Nodes that bear an id which a run of communities writes, and not what it writes beside it.
MATCH (r:Run {id: $run})
WHERE NOT (coalesce(r.kind = 'communities', false) AND r.complete IS NOT NULL)
RETURN 'Run' AS label, r.id AS id
UNION ALL
MATCH (c:Community)
WHERE c.id >= $run + '/' AND c.id < $run + '0' AND NOT coalesce(c.run = $run, false)
RETURN 'Community' AS label, c.id AS id
