// What a feature carries or drives in later layers, and what carries or drives it from earlier ones.
//
// param feature: feature -- id of the feature
// param limit: integer = 10 -- most rows
// column kind: string -- CARRIES or DRIVES
// column direction: string -- `to` a later layer or `from` an earlier one
// column id: string -- the feature at the other end
// column weight: number -- signed strength
// column decoder_cosine: number -- -1 to 1
// column run: string -- the run that found it
// column label: string -- of the feature at the other end
MATCH (f:Feature {id: $feature})-[l:CARRIES|DRIVES]-(g:Feature)
MATCH (r:Run {id: l.run})
WHERE r.complete
RETURN type(l) AS kind, CASE WHEN startNode(l).id = f.id THEN 'to' ELSE 'from' END AS direction, g.id AS id,
       l.weight AS weight, l.decoder_cosine AS decoder_cosine, l.run AS run, g.label AS label
ORDER BY abs(l.weight) DESC, id
LIMIT $limit
