// The kept edges and links between the members of two communities, strongest first.
//
// param first: community -- id of one community
// param second: community -- id of the other
// param runs: runs -- the runs whose edges and links count
// param limit: integer = 0 -- most rows, 0 for all
// column source: string -- the feature in the first community
// column target: string -- the feature in the second community
// column kind: string -- CARRIES, DRIVES or DEPENDS
// column weight: number -- signed strength
// column source_label: string -- label of the feature in the first
// column target_label: string -- label of the feature in the second
MATCH (:Community {id: $first})<-[:MEMBER_OF]-(a:Feature)-[e:DEPENDS|CARRIES|DRIVES]-(b:Feature)-[:MEMBER_OF]->(:Community {id: $second})
WHERE e.run IN $runs AND coalesce(e.kept, true)
RETURN a.id AS source, b.id AS target, type(e) AS kind, e.weight AS weight, a.label AS source_label, b.label AS target_label
ORDER BY abs(weight) DESC, source, target, kind
LIMIT $limit
