// What a feature carries or drives in later layers, and what carries or drives it from earlier ones.
//
// param feature: feature -- id of the feature
// param direction: string in to, from = null -- `to` later layers or `from` earlier ones; left out: both
// param kinds: list in CARRIES, DRIVES = ["CARRIES", "DRIVES"] -- which links
// param limit: integer = 0 -- most rows, 0 for all
// column kind: string -- CARRIES or DRIVES
// column direction: string -- `to` a later layer or `from` an earlier one
// column id: string -- the feature at the other end
// column weight: number -- signed strength
// column partial_correlation: number -- -1 to 1
// column q_value: number -- q of its own test
// column decoder_cosine: number -- -1 to 1
// column virtual_weight: number -- of the later encoder on the earlier decoder
// column carried_share: number -- share of the effect that the stream passes on, 0 to 1
// column ablation_effect: number -- mean change of the later feature when the earlier one is taken out
// column run: string -- the run that found it
// column label: string -- of the feature at the other end
MATCH (f:Feature {id: $feature})-[l:CARRIES|DRIVES]-(g:Feature)
MATCH (r:Run {id: l.run})
WHERE r.complete AND type(l) IN $kinds
WITH l, g, CASE WHEN startNode(l).id = f.id THEN 'to' ELSE 'from' END AS direction
WHERE $direction IS NULL OR direction = $direction
RETURN type(l) AS kind, direction, g.id AS id, l.weight AS weight, l.partial_correlation AS partial_correlation,
       l.q_value AS q_value, l.decoder_cosine AS decoder_cosine, l.virtual_weight AS virtual_weight,
       l.carried_share AS carried_share, l.ablation_effect AS ablation_effect, l.run AS run, g.label AS label
ORDER BY abs(l.weight) DESC, id, kind, run
LIMIT $limit
