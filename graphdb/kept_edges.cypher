// The kept edges of a run that leave some features of its site: with `$exclusions` the negative ones too, seen in
// `$least` replicates or more if that is given. One row of columns, which a server sends several times as fast as a
// row an edge; 2 stands for a cosine that is not known, since a list of values would leave it out.
UNWIND range($first, $last) AS at
MATCH (a:Feature {id: $site + '/' + toString(at)})-[d:DEPENDS]->(b:Feature)
WHERE d.run = $run AND d.kept AND d.weight IS NOT NULL AND b.index IS NOT NULL
  AND (d.weight > 0 OR $exclusions) AND ($least IS NULL OR d.replicates >= $least)
RETURN collect(at) AS source, collect(b.index) AS target, collect(d.weight) AS weight,
       collect(coalesce(d.decoder_cosine, 2.0)) AS cosine
