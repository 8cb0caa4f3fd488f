// The kept edges of a run on which the decoder directions and the dependence disagree most. The dependence is the
// partial correlation; where the procedure has none it is the weight.
//
// param run: run -- the run
// param limit: integer = 20 -- most rows, 0 for all
// column source: string -- id of the lower feature
// column target: string -- id of the higher feature
// column dependence: number -- -1 to 1
// column decoder_cosine: number -- -1 to 1
// column gap: number -- size of their difference
// column source_label: string -- label of the lower feature
// column target_label: string -- label of the higher feature
MATCH (:Run {id: $run})-[:OF]->(:Site)<-[:IN]-(a:Feature)-[d:DEPENDS]->(b:Feature)
WHERE d.run = $run AND d.kept AND d.decoder_cosine IS NOT NULL
WITH a, b, d, coalesce(d.partial_correlation, d.weight) AS dependence
RETURN a.id AS source, b.id AS target, dependence, d.decoder_cosine AS decoder_cosine,
       abs(dependence - d.decoder_cosine) AS gap, a.label AS source_label, b.label AS target_label
ORDER BY gap DESC, source, target
LIMIT $limit
