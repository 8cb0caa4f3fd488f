// The dependences of one or several features in a run, strongest first.
//
// param features: features -- ids of the features
// param run: run -- the run whose edges are followed
// param all: boolean = false -- also edges that did not pass the run's FDR
// param min_replicates: integer = null -- least number of replicates that show the edge
// param max_q: number = null -- largest q
// param q: string in q_shuffle, q_value = "q_shuffle" -- which q
// param min_partial: number = null -- least size of the partial correlation
// column feature: string -- the one of `features` at this end
// column id: string -- the feature at the other end
// column weight: number -- signed strength
// column replicates: integer -- replicates that show the edge
// column null_replicates: integer -- null trials that show it
// column q_shuffle: number -- FDR at its replicate count
// column q_value: number -- q of its own test
// column partial_correlation: number -- -1 to 1
// column decoder_cosine: number -- of the two decoder directions, -1 to 1
// column coactivation: integer -- tokens at which both fire
// column kept: boolean -- passes the run's FDR
// column label: string -- of the feature at the other end
UNWIND $features AS feature
MATCH (f:Feature {id: feature})-[d:DEPENDS]-(g:Feature)
WHERE d.run = $run
  AND ($all OR d.kept)
  AND ($min_replicates IS NULL OR d.replicates >= $min_replicates)
  AND ($max_q IS NULL OR CASE WHEN $q = 'q_value' THEN d.q_value ELSE d.q_shuffle END <= $max_q)
  AND ($min_partial IS NULL OR abs(d.partial_correlation) >= $min_partial)
RETURN feature, g.id AS id, d.weight AS weight, d.replicates AS replicates,
       d.null_replicates AS null_replicates, d.q_shuffle AS q_shuffle, d.q_value AS q_value,
       d.partial_correlation AS partial_correlation, d.decoder_cosine AS decoder_cosine,
       d.coactivation AS coactivation, d.kept AS kept, g.label AS label
ORDER BY abs(d.weight) DESC, feature, id
