// The features that a pair of layers carries, makes or loses.
//
// param run: links -- the run that links the two
// param fate: string in carried, made, gone = "made" -- what became of them
// param limit: integer = 100 -- most rows, 0 for all
// column id: string -- of the later layer; of the earlier one if gone
// column links: integer -- links of the run at this feature
// column strongest: number -- largest size of their weights
// column label: string -- the label
MATCH (r:Run {id: $run})-[:OF]->(s:Site)
WITH s ORDER BY s.layer, s.id
WITH collect(s) AS sites
WITH CASE WHEN $fate = 'gone' THEN head(sites) ELSE last(sites) END AS s
MATCH (s)<-[:IN]-(f:Feature)
WHERE EXISTS { MATCH (f)-[m:MEASURED_IN]->(q:Run) WHERE q.complete AND m.activations > 0 }
  AND CASE $fate
        WHEN 'carried' THEN EXISTS { MATCH (f)<-[l:CARRIES]-(:Feature) WHERE l.run = $run }
        WHEN 'made' THEN NOT EXISTS { MATCH (f)<-[l:CARRIES]-(:Feature) WHERE l.run = $run }
        ELSE NOT EXISTS { MATCH (f)-[l:CARRIES]->(:Feature) WHERE l.run = $run }
      END
OPTIONAL MATCH (f)-[l:CARRIES|DRIVES]-(:Feature)
WHERE l.run = $run
WITH f, count(l) AS links, max(abs(l.weight)) AS strongest
RETURN f.id AS id, links, strongest, f.label AS label
ORDER BY links DESC, coalesce(strongest, 0.0) DESC, id
LIMIT $limit
