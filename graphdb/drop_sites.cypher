// Of these sites, those that nothing but this run knows.
UNWIND $rows AS row
MATCH (s:Site {id: row.id})
WHERE NOT EXISTS { MATCH (s)-[e]-(other) WHERE type(e) <> 'OF' OR coalesce(other.id, '') <> $run }
DETACH DELETE s
