// Features of a site; their labels are chosen by `label_features`.
UNWIND $rows AS row
MATCH (s:Site {id: row.site})
MERGE (f:Feature {id: row.id})
SET f.site = row.site, f.layer = row.layer, f.index = row.index,
    f.neuronpedia = coalesce(row.neuronpedia, f.neuronpedia)
MERGE (f)-[:IN]->(s)
