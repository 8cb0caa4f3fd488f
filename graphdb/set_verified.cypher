// How the links of a run stood up to intervention.
MATCH (r:Run {id: $run})
SET r.verified = $verified
