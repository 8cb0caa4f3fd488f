// The sites of some features, and every run as `list_runs` has it: two questions in one, which most look-ups begin with.
UNWIND $ids AS wanted
WITH DISTINCT wanted
MATCH (f:Feature {id: wanted})
WHERE f.site IS NOT NULL AND f.index IS NOT NULL
RETURN f.id AS feature, f.site AS site, null AS run
UNION ALL
MATCH (r:Run)
WHERE r.kind IN ['layer', 'links', 'communities'] AND r.complete IS NOT NULL
OPTIONAL MATCH (r)-[:OF]->(s:Site)
WITH r, s ORDER BY s.id
WITH r, collect(s.id) AS sites
WITH r, sites ORDER BY r.created DESC, r.id
RETURN null AS feature, null AS site,
       {id: r.id, sites: sites, kind: r.kind, procedure: r.procedure, complete: r.complete} AS run
