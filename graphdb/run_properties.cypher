// The properties of a run, if it is there.
MATCH (r:Run {id: $run})
RETURN properties(r) AS properties
