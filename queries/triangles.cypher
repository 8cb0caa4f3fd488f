// The pairs of kept neighbours of a feature that also depend on each other.
//
// param feature: feature -- id of the feature
// param run: run -- the run
// param limit: integer = 20 -- most rows, 0 for all
// column first: string -- one neighbour
// column second: string -- the other
// column weight: number -- of the edge between the two
// column first_label: string -- label of one
// column second_label: string -- label of the other
MATCH (f:Feature {id: $feature})-[d:DEPENDS]-(a:Feature)-[e:DEPENDS]->(b:Feature)-[c:DEPENDS]-(f)
WHERE d.run = $run AND e.run = $run AND c.run = $run AND d.kept AND e.kept AND c.kept
RETURN a.id AS first, b.id AS second, e.weight AS weight, a.label AS first_label, b.label AS second_label
ORDER BY abs(e.weight) DESC, first, second
LIMIT $limit
