// The features that depend, by kept edges of a run, on both of two features.
//
// param first: feature -- one feature
// param second: feature -- the other
// param run: run -- the run
// column id: string -- the feature between them
// column first_weight: number -- of its edge to the first
// column second_weight: number -- of its edge to the second
// column label: string -- its label
MATCH (a:Feature {id: $first})-[d:DEPENDS]-(g:Feature)-[e:DEPENDS]-(b:Feature {id: $second})
WHERE d.run = $run AND e.run = $run AND d.kept AND e.kept
RETURN g.id AS id, d.weight AS first_weight, e.weight AS second_weight, g.label AS label
ORDER BY abs(d.weight * e.weight) DESC, id
