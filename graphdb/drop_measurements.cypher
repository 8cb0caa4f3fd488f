// What a run measured of these features.
UNWIND $rows AS row
MATCH (f:Feature {id: row.id})-[m:MEASURED_IN]->(:Run {id: $run})
DELETE m
