// The sites that a run is about, the earlier layer first.
MATCH (:Run {id: $run})-[:OF]->(s:Site)
RETURN s.id AS id, s.layer AS layer, s.hook AS hook, s.features AS features
ORDER BY layer, id
