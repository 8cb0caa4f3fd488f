// The communities that a run made, largest first, with their best connected members.
//
// param run: clustering -- the run that made them
// param min_size: integer = 1 -- least number of members
// param top: integer = 5 -- members shown of each
// param limit: integer = 20 -- most rows, 0 for all
// column id: string -- of the community
// column scope: string -- `layer` or `all`
// column size: integer -- members
// column layers: list -- of its members
// column label: string -- the label
// column members: list -- id and label of those with most kept edges
MATCH (c:Community {run: $run})
WHERE c.size >= $min_size
WITH c ORDER BY c.size DESC, c.id LIMIT $limit
CALL (c) {
  MATCH (c)<-[:MEMBER_OF]-(f:Feature)
  WITH DISTINCT f.layer AS layer ORDER BY layer
  RETURN collect(layer) AS layers
}
CALL (c) {
  MATCH (c)<-[:MEMBER_OF]-(f:Feature)
  OPTIONAL MATCH (f)-[m:MEASURED_IN]->(r:Run {complete: true})
  WITH f, coalesce(max(m.degree), 0) AS degree ORDER BY degree DESC, f.id LIMIT $top
  RETURN collect({id: f.id, label: f.label}) AS members
}
RETURN c.id AS id, c.scope AS scope, c.size AS size, layers, c.label AS label, members
ORDER BY size DESC, id
