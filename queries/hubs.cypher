// The features with most kept edges in a run.
//
// param run: run -- the run
// param limit: integer = 20 -- most rows, 0 for all
// column id: string -- model/source/index
// column degree: integer -- kept edges
// column frequency: number -- share of tokens at which it fires
// column label: string -- the label
MATCH (f:Feature)-[m:MEASURED_IN]->(:Run {id: $run})
WHERE m.degree > 0
RETURN f.id AS id, m.degree AS degree, m.frequency AS frequency, f.label AS label
ORDER BY degree DESC, id
LIMIT $limit
