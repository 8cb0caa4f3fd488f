// The strongest kept edges of a run, with the words at both ends.
//
// param run: run -- the run
// param limit: integer = 20 -- most rows, 0 for all
// column source: string -- id of the lower feature
// column target: string -- id of the higher feature
// column weight: number -- signed strength
// column replicates: integer -- replicates that show the edge
// column decoder_cosine: number -- -1 to 1
// column source_label: string -- label of the lower feature
// column target_label: string -- label of the higher feature
MATCH (:Run {id: $run})-[:OF]->(:Site)<-[:IN]-(a:Feature)-[d:DEPENDS]->(b:Feature)
WHERE d.run = $run AND d.kept
RETURN a.id AS source, b.id AS target, d.weight AS weight, d.replicates AS replicates,
       d.decoder_cosine AS decoder_cosine, a.label AS source_label, b.label AS target_label
ORDER BY abs(d.weight) DESC, source, target
LIMIT $limit
