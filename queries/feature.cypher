// One feature and what a run measured of it.
//
// param feature: feature -- id of the feature
// param run: run -- the run that measured it
// column id: string -- model/source/index
// column label: string -- short name of what it fires on
// column label_source: string -- where the label comes from
// column neuronpedia: string -- its key on Neuronpedia
// column frequency: number -- share of tokens at which it fires
// column mean_activation: number -- mean where it fires
// column max_activation: number -- largest seen
// column degree: integer -- kept edges
// column communities: list -- ids of the communities it belongs to, those of the newest run first
// column top_tokens: string -- JSON: the tokens that carry most of its activation, with their shares
// column contexts: string -- JSON: its strongest firings, each with its text around it
MATCH (f:Feature {id: $feature})
OPTIONAL MATCH (f)-[m:MEASURED_IN]->(:Run {id: $run})
OPTIONAL MATCH (f)-[:MEMBER_OF]->(c:Community)
OPTIONAL MATCH (q:Run {id: c.run, complete: true})
WITH f, m, CASE WHEN q IS NULL THEN null ELSE c.id END AS community, coalesce(q.created, '') AS created
ORDER BY created DESC, community
WITH f, m, collect(community) AS communities
RETURN f.id AS id, f.label AS label, f.label_source AS label_source, f.neuronpedia AS neuronpedia,
       m.frequency AS frequency, m.mean_activation AS mean_activation, m.max_activation AS max_activation,
       m.degree AS degree, communities, m.top_tokens AS top_tokens, m.contexts AS contexts
