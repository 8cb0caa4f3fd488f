// What the bulk way knows these features by.
UNWIND $ids AS id
MATCH (f:Feature {id: id})
RETURN collect(f.id) AS id, collect(elementId(f)) AS record
