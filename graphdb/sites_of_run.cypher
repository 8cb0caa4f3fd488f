// The sites that a run is about.
MATCH (:Run {id: $run})-[:OF]->(s:Site)
RETURN s.id AS id
ORDER BY id
