// The kept edges of one run that another run about the same site did not keep, with what each made of them.
//
// param run: run -- the run that has them
// param other: run -- the run that does not
// param limit: integer = 100 -- most rows, 0 for all
// column source: string -- id of the lower feature
// column target: string -- id of the higher feature
// column weight: number -- signed strength in the first run
// column other_weight: number -- in the other run, if it stored the edge at all
// column replicates: integer -- replicates that show the edge in the first run
// column other_replicates: integer -- in the other run
// column source_label: string -- label of the lower feature
// column target_label: string -- label of the higher feature
MATCH (:Run {id: $run})-[:OF]->(:Site)<-[:IN]-(a:Feature)-[d:DEPENDS]->(b:Feature)
WHERE d.run = $run AND d.kept
OPTIONAL MATCH (a)-[e:DEPENDS]->(b)
WHERE e.run = $other
WITH a, b, d, e
WHERE NOT coalesce(e.kept, false)
RETURN a.id AS source, b.id AS target, d.weight AS weight, e.weight AS other_weight, d.replicates AS replicates,
       e.replicates AS other_replicates, a.label AS source_label, b.label AS target_label
ORDER BY abs(d.weight) DESC, source, target
LIMIT $limit
