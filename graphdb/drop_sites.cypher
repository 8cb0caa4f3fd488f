// Of these sites, those without a run and without features.
UNWIND $rows AS row
MATCH (s:Site {id: row.id})
WHERE NOT EXISTS { MATCH (s)-[e]-() }
DELETE s
