// The kept edges and the links that leave one or several features: one hop of a path.
//
// param features: features -- ids of the features
// param runs: runs -- the runs whose edges and links are followed
// param kinds: list in CARRIES, DRIVES, DEPENDS = ["CARRIES", "DRIVES", "DEPENDS"] -- which relationships
// param up: boolean = true -- links are followed to later layers, or else to earlier ones
// param min_weight: number = 0 -- least size of the weight
// param least: numbers = null -- least size of the weight for each of `features`
// param ends: map = null -- only to features that are keys of this map
// column feature: string -- the one of `features` at this end
// column id: string -- the feature at the other end
// column kind: string -- CARRIES, DRIVES or DEPENDS
// column weight: number -- signed strength
// column layer: integer -- of the feature at the other end
// column ablation_effect: number -- of a link that was tried: mean change of its later feature when the earlier one is taken out
UNWIND $features AS feature
MATCH (f:Feature {id: feature})-[e:DEPENDS|CARRIES|DRIVES]-(g:Feature)
WHERE e.run IN $runs AND type(e) IN $kinds AND coalesce(e.kept, true) AND abs(e.weight) >= $min_weight
  AND (type(e) = 'DEPENDS' OR (startNode(e).id = feature) = $up)
  AND ($least IS NULL OR abs(e.weight) >= $least[feature])
  AND ($ends IS NULL OR $ends[g.id] IS NOT NULL)
RETURN feature, g.id AS id, type(e) AS kind, e.weight AS weight, g.layer AS layer,
       e.ablation_effect AS ablation_effect
ORDER BY feature, id, kind, weight
