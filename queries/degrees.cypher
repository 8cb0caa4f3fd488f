// How many features of a run have how many kept edges.
//
// stored: degrees degree_features
// param run: run -- the run
// column degree: integer -- kept edges
// column features: integer -- features with so many
MATCH (r:Run {id: $run})
UNWIND range(0, size(r.degrees) - 1) AS at
RETURN r.degrees[at] AS degree, r.degree_features[at] AS features
ORDER BY degree
