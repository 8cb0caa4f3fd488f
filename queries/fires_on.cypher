// Features of which a text is part of one of the tokens that carry most of their activation in a run.
//
// param text: string -- what to look for, upper and lower case told apart
// param run: run -- the run that measured
// param limit: integer = 20 -- most rows, 0 for all
// column id: string -- model/source/index
// column share: number -- of its activity that those tokens carry
// column frequency: number -- share of tokens at which it fires
// column label: string -- the label

// The words are kept as JSON, so what is asked is first looked for as JSON writes it, and where that is found what JSON
// means by it is compared: a new line is written with an n.
WITH split('\u0000 \u0001 \u0002 \u0003 \u0004 \u0005 \u0006 \u0007 \u0008 \u0009 \u000a \u000b \u000c \u000d \u000e \u000f ' +
           '\u0010 \u0011 \u0012 \u0013 \u0014 \u0015 \u0016 \u0017 \u0018 \u0019 \u001a \u001b \u001c \u001d \u001e \u001f', ' ') AS control
WITH [['"', '\\"'], ['\n', '\\n'], ['\r', '\\r'], ['\t', '\\t'], ['\b', '\\b'], ['\f', '\\f']] +
     [at IN range(0, 31) | [control[at], '\\u00' + toString(at / 16) + substring('0123456789abcdef', at % 16, 1)]] AS escapes
WITH escapes, reduce(text = replace($text, '\\', '\\\\'), pair IN escapes | replace(text, pair[0], pair[1])) AS written
MATCH (f:Feature)-[m:MEASURED_IN]->(:Run {id: $run})
WHERE m.top_tokens CONTAINS written
WITH f, m, escapes, written, [part IN tail(split(m.top_tokens, '{"token":"')) | split(part, '","share":')] AS tokens
WITH f, m, escapes, [token IN tokens WHERE token[0] CONTAINS written | [split(token[0], '\\\\'), split(token[1], '}')[0]]] AS tokens
WITH f, m, [token IN tokens WHERE substring(reduce(text = '', part IN token[0] | text + '\\' +
              reduce(read = part, pair IN escapes | replace(read, pair[1], pair[0]))), 1) CONTAINS $text
            | toFloat(token[1])] AS shares
WHERE size(shares) > 0
RETURN f.id AS id, reduce(sum = 0.0, share IN shares | sum + share) AS share, m.frequency AS frequency,
       f.label AS label
ORDER BY share DESC, id
LIMIT $limit
