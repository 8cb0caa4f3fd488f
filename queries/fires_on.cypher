// Features of which a text is part of one of the tokens that carry most of their activation in a run.
//
// param text: string -- what to look for, upper and lower case told apart
// param run: run -- the run that measured
// param limit: integer = 20 -- most rows, 0 for all
// column id: string -- model/source/index
// column frequency: number -- share of tokens at which it fires
// column label: string -- the label
WITH replace(replace($text, '\\', '\\\\'), '"', '\\"') AS text
WITH replace(replace(replace(text, '\n', '\\n'), '\r', '\\r'), '\t', '\\t') AS text
MATCH (f:Feature)-[m:MEASURED_IN]->(:Run {id: $run})
WHERE any(part IN tail(split(m.top_tokens, '{"token":"')) WHERE split(part, '","share":')[0] CONTAINS text)
RETURN f.id AS id, m.frequency AS frequency, f.label AS label
ORDER BY id
LIMIT $limit
