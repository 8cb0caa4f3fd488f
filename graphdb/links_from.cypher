// The links of a run that leave some features of a site, as columns; 2 stands for a cosine that is not known.
UNWIND range($first, $last) AS at
MATCH (a:Feature {id: $site + '/' + toString(at)})-[l:CARRIES|DRIVES]->(b:Feature)
WHERE l.run = $run AND coalesce(l.kept, true) AND l.weight IS NOT NULL AND b.site IS NOT NULL AND b.index IS NOT NULL
RETURN collect(at) AS source, collect(b.site) AS site, collect(b.index) AS target, collect(l.weight) AS weight,
       collect(coalesce(l.decoder_cosine, 2.0)) AS cosine
