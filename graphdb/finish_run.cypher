// From here on queries see the run.
MATCH (r:Run {id: $run})
SET r.complete = true
