// Features of a site; their labels are chosen by `label_features`.
UNWIND $rows AS row
MATCH (s:Site {id: row.site})
MERGE (f:Feature {id: row.id})
SET f.site = row.site, f += row.properties
MERGE (f)-[:IN]->(s)
