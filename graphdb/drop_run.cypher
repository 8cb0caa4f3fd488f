// The run itself.
MATCH (r:Run {id: $run})
DETACH DELETE r
