// Every run and the sites it is about, newest first.
MATCH (r:Run)
WHERE r.kind IN ['layer', 'links', 'communities'] AND r.complete IS NOT NULL
OPTIONAL MATCH (r)-[:OF]->(s:Site)
WITH r, s ORDER BY s.id
WITH r, collect(s.id) AS sites
RETURN r.id AS id, sites, r.kind AS kind, r.procedure AS procedure, r.fdr AS fdr, r.r_star AS r_star,
       r.features AS features, r.edges AS edges, r.kept AS kept, r.created AS created, r.complete AS complete
ORDER BY created DESC, id
