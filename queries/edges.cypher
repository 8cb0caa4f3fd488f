// Every edge of a run.
//
// param run: run -- the run
// column source: integer -- index of the lower feature
// column target: integer -- index of the higher feature
// column weight: number -- signed strength
// column replicates: integer -- replicates that show the edge
// column null_replicates: integer -- null trials that show it
// column q_shuffle: number -- FDR at its replicate count
// column q_value: number -- q of its own test
// column partial_correlation: number -- -1 to 1
// column standard_error: number -- of the partial correlation
// column correlation: number -- marginal, -1 to 1
// column decoder_cosine: number -- -1 to 1
// column coactivation: integer -- tokens at which both fire
// column kept: boolean -- passes the run's FDR
MATCH (:Run {id: $run})-[:OF]->(:Site)<-[:IN]-(a:Feature)-[d:DEPENDS]->(b:Feature)
WHERE d.run = $run
RETURN a.index AS source, b.index AS target, d.weight AS weight, d.replicates AS replicates,
       d.null_replicates AS null_replicates, d.q_shuffle AS q_shuffle, d.q_value AS q_value,
       d.partial_correlation AS partial_correlation, d.standard_error AS standard_error,
       d.correlation AS correlation, d.decoder_cosine AS decoder_cosine, d.coactivation AS coactivation,
       d.kept AS kept
ORDER BY source, target
