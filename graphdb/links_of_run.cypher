// The links of a run, and the sites and places of the features at their ends.
MATCH (:Run {id: $run})-[:OF]->(:Site)<-[:IN]-(a:Feature)-[l:CARRIES|DRIVES]->(b:Feature)
WHERE l.run = $run
RETURN a.site AS lower, b.site AS upper, a.index AS source, b.index AS target, type(l) AS kind, l.weight AS weight
ORDER BY source, target, kind
