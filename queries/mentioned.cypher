// Features with a text in one of the passages at which they fire most strongly in a run.
//
// param text: string -- what to look for, upper and lower case told apart
// param run: run -- the run that measured
// param limit: integer = 20 -- most rows, 0 for all
// column id: string -- model/source/index
// column passages: integer -- of its strongest firings, those that hold the text
// column label: string -- the label
WITH replace(replace($text, '\\', '\\\\'), '"', '\\"') AS text
WITH replace(replace(replace(text, '\n', '\\n'), '\r', '\\r'), '\t', '\\t') AS text
MATCH (f:Feature)-[m:MEASURED_IN]->(:Run {id: $run})
WHERE m.contexts IS NOT NULL
WITH f, text, left(m.contexts, size(m.contexts) - 3) AS contexts
WITH f, text, [part IN tail(split(contexts, '"left":"')) |
               replace(replace(split(part, '"},{"rank":')[0], '","token":"', ''), '","right":"', '')] AS passages
WITH f, size([passage IN passages WHERE passage CONTAINS text]) AS passages
WHERE passages > 0
RETURN f.id AS id, passages, f.label AS label
ORDER BY passages DESC, id
LIMIT $limit
