// For each pair of linked layers: features carried from one to the other, made in between, and gone.
//
// column run: string -- the run that links the two
// column lower: string -- the site of the earlier layer
// column upper: string -- the site of the later layer
// column carried: integer -- features of the later layer that a link CARRIES into
// column made: integer -- features of the later layer that fire and that no link CARRIES into
// column gone: integer -- features of the earlier layer that fire and that no link CARRIES on
MATCH (r:Run {kind: 'links', complete: true})-[:OF]->(s:Site)
WITH r, s ORDER BY s.layer, s.id
WITH r, collect(s.id) AS sites, min(s.layer) AS layer
RETURN r.id AS run, head(sites) AS lower, last(sites) AS upper, r.carried AS carried, r.made AS made, r.gone AS gone
ORDER BY layer, lower, upper, run
