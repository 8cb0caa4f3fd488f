// Features of complete runs whose label contains a text, whatever its case.
//
// param text: string -- what to look for
// param limit: integer = 20 -- most rows, 0 for all
// column id: string -- model/source/index
// column label: string -- the label
MATCH (:Site)<-[:IN]-(f:Feature)
WHERE toLower(f.label) CONTAINS toLower($text)
  AND EXISTS { MATCH (f)-[:MEASURED_IN]->(r:Run) WHERE r.complete }
RETURN f.id AS id, f.label AS label
ORDER BY id
LIMIT $limit
