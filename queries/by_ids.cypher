// Some features by their ids; an id that is not there has no row.
//
// param ids: list -- ids of features
// column id: string -- model/source/index
// column site: string -- model/source
// column layer: integer -- of the residual stream
// column label: string -- the label
UNWIND $ids AS wanted
WITH DISTINCT wanted
MATCH (f:Feature {id: wanted})
WHERE f.site IS NOT NULL AND f.index IS NOT NULL
RETURN f.id AS id, f.site AS site, f.layer AS layer, f.label AS label
ORDER BY id
