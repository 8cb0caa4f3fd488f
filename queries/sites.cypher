// The sites in the database, by model and layer.
//
// column id: string -- model/source
// column model: string -- name of the model
// column layer: integer -- of the residual stream
// column hook: string -- hook point
// column features: integer -- width of the dictionary
// column runs: integer -- complete runs about it
MATCH (s:Site)
WHERE s.model IS NOT NULL AND s.source IS NOT NULL
OPTIONAL MATCH (r:Run {complete: true})-[:OF]->(s)
RETURN s.id AS id, s.model AS model, s.layer AS layer, s.hook AS hook, s.features AS features, count(r) AS runs
ORDER BY model, layer, id
