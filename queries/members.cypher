// The members of a community, those with most kept edges first.
//
// param community: community -- id of the community
// param limit: integer = 0 -- most rows, 0 for all
// column id: string -- model/source/index
// column layer: integer -- of the residual stream
// column degree: integer -- kept edges, of the complete run that found most
// column label: string -- the label
MATCH (:Community {id: $community})<-[:MEMBER_OF]-(f:Feature)
OPTIONAL MATCH (f)-[m:MEASURED_IN]->(r:Run {complete: true})
WITH f, coalesce(max(m.degree), 0) AS degree
RETURN f.id AS id, f.layer AS layer, degree, f.label AS label
ORDER BY degree DESC, id
LIMIT $limit
