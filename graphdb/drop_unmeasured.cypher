// Of these features, those that nothing but their site knows any more.
UNWIND $rows AS row
MATCH (f:Feature {id: row.id})
WHERE NOT EXISTS { MATCH (f)-[e]-(other) WHERE type(e) <> 'IN' OR coalesce(other.id, '') <> f.site }
DETACH DELETE f
