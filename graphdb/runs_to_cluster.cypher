// The layer runs of these ids, with their sites, lowest layer first.
MATCH (r:Run)-[:OF]->(s:Site)
WHERE r.id IN $runs
RETURN r.id AS run, r.replicates AS replicates, s.id AS site, s.layer AS layer, s.features AS features
ORDER BY layer, site
