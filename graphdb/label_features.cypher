// The label of each of these features, of all that complete runs gave it that of the run with most tokens, then
// the newest; `$finishing` is a run that is about to be complete. A label of another source than tokens stays.
UNWIND $rows AS row
MATCH (f:Feature {id: row.id})
WHERE coalesce(f.label_source, 'tokens') = 'tokens'
OPTIONAL MATCH (f)-[m:MEASURED_IN]->(r:Run)
WHERE m.label IS NOT NULL AND (r.complete OR r.id = $finishing)
WITH f, m.label AS label, coalesce(r.tokens, 0) AS tokens, coalesce(r.created, '') AS created, r.id AS run
ORDER BY tokens DESC, created DESC, run
WITH f, head(collect(label)) AS label
WHERE label IS NOT NULL OR f.label_source = 'tokens'
SET f.label = label, f.label_source = CASE WHEN label IS NULL THEN null ELSE 'tokens' END
