// A run that makes communities, and the sites whose features it divides; incomplete until `finish_run`.
MERGE (r:Run {id: $run})
ON CREATE SET r.complete = false
SET r += $properties
WITH r
UNWIND $sites AS site
MATCH (s:Site {id: site})
MERGE (r)-[:OF]->(s)
