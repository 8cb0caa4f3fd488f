// What was measured of the links of a run before.
MATCH (:Run {id: $run})-[:OF]->(:Site)<-[:IN]-(:Feature)-[l:CARRIES|DRIVES]->(:Feature)
WHERE l.run = $run AND l.ablation_effect IS NOT NULL
REMOVE l.ablation_effect
