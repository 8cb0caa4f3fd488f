// The kept edges of a run that are most negative: features that exclude each other.
//
// param run: run -- the run
// param limit: integer = 20 -- most rows, 0 for all
// column source: string -- id of the lower feature
// column target: string -- id of the higher feature
// column weight: number -- negative
// column decoder_cosine: number -- -1 to 1
// column source_label: string -- label of the lower feature
// column target_label: string -- label of the higher feature
MATCH (:Run {id: $run})-[:OF]->(:Site)<-[:IN]-(a:Feature)-[d:DEPENDS]->(b:Feature)
WHERE d.run = $run AND d.kept AND d.weight < 0
RETURN a.id AS source, b.id AS target, d.weight AS weight, d.decoder_cosine AS decoder_cosine,
       a.label AS source_label, b.label AS target_label
ORDER BY weight, source, target
LIMIT $limit
