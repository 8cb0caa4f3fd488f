// Nodes that bear an id which a load of this graph may write, and not what it writes beside it.
MATCH (s:Site {id: $site})
WHERE NOT (coalesce(s.model = $model, false) AND coalesce(s.source = $source, false))
RETURN 'Site' AS label, s.id AS id
UNION ALL
MATCH (r:Run {id: $run})
WHERE NOT (coalesce(r.kind = $kind, false) AND r.complete IS NOT NULL)
RETURN 'Run' AS label, r.id AS id
UNION ALL
MATCH (f:Feature)
WHERE f.id >= $site + '/' AND f.id < $site + '0' AND NOT (coalesce(f.site = $site, false) AND f.index IS NOT NULL)
RETURN 'Feature' AS label, f.id AS id
