// The connected components of the kept edges of a run, largest first; features without kept edges are in none.
//
// stored: components component_sizes component_edges
// param run: run -- the run
// param max_size: integer = null -- only components of at most so many features
// param limit: integer = 20 -- most rows, 0 for all
// column id: string -- the feature of lowest index in it; `component` lists the others
// column size: integer -- features
// column edges: integer -- kept edges
// column label: string -- of that feature
MATCH (r:Run {id: $run})-[:OF]->(s:Site)
WITH s.id AS site, r.components AS components, r.component_sizes AS sizes, r.component_edges AS inside
UNWIND range(0, size(components) - 1) AS at
WITH site + '/' + toString(components[at]) AS id, sizes[at] AS size, inside[at] AS edges, components[at] AS lowest
WHERE $max_size IS NULL OR size <= $max_size
WITH id, size, edges, lowest ORDER BY size DESC, edges DESC, lowest LIMIT $limit
MATCH (f:Feature {id: id})
RETURN id, size, edges, f.label AS label
ORDER BY size DESC, edges DESC, lowest
