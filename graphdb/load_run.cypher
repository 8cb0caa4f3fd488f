// The run, marked incomplete until `finish_run`. A run loaded whole before stays whole: under its id is the same content.
MATCH (s:Site {id: $site})
MERGE (r:Run {id: $run})
ON CREATE SET r.complete = false
SET r += $properties
MERGE (r)-[:OF]->(s)
