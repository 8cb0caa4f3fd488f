// From here on queries leave the run out.
MATCH (r:Run {id: $run})
SET r.complete = false
