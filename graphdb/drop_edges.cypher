// The edges of a run that leave these features.
UNWIND $rows AS row
MATCH (f:Feature {id: row.id})-[e:DEPENDS|CARRIES|DRIVES]->(:Feature)
WHERE e.run = $run
DELETE e
