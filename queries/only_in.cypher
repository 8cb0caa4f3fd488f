// The kept edges of one run that another run about the same site did not keep.
//
// param run: run -- the run that has them
// param other: run -- the run that does not
// param limit: integer = 100 -- most rows
// column source: string -- id of the lower feature
// column target: string -- id of the higher feature
// column weight: number -- signed strength in the first run
// column replicates: integer -- replicates that show the edge in the first run
MATCH (:Run {id: $run})-[:OF]->(:Site)<-[:IN]-(a:Feature)-[d:DEPENDS]->(b:Feature)
WHERE d.run = $run AND d.kept
  AND NOT EXISTS { MATCH (a)-[e:DEPENDS]->(b) WHERE e.run = $other AND e.kept }
RETURN a.id AS source, b.id AS target, d.weight AS weight, d.replicates AS replicates
ORDER BY abs(d.weight) DESC, source, target
LIMIT $limit
