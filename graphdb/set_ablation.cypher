// What taking the earlier feature out did to the later one.
UNWIND $rows AS row
MATCH (:Feature {id: row.source})-[l:CARRIES|DRIVES]->(:Feature {id: row.target})
WHERE l.run = $run
SET l.ablation_effect = row.effect
