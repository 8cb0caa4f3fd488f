// Features of a site. A label made of tokens gives way to the one of a later load, and to nothing else.
UNWIND $rows AS row
MATCH (s:Site {id: row.site})
MERGE (f:Feature {id: row.id})
SET f.site = row.site, f.layer = row.layer, f.index = row.index,
    f.neuronpedia = coalesce(row.neuronpedia, f.neuronpedia),
    f.label = CASE WHEN coalesce(f.label_source, 'tokens') = 'tokens' THEN coalesce(row.label, f.label) ELSE f.label END
SET f.label_source = CASE WHEN f.label IS NULL THEN null ELSE coalesce(f.label_source, 'tokens') END
MERGE (f)-[:IN]->(s)
