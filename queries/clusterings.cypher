// The complete runs that made communities, newest first.
//
// column run: string -- its id
// column communities: integer -- how many it made
// column features: integer -- members of them
// column created: string -- when, UTC
MATCH (c:Community)
WITH c.run AS run, count(c) AS communities, sum(c.size) AS features
MATCH (r:Run {id: run})
WHERE r.complete
RETURN run, communities, features, r.created AS created
ORDER BY created DESC, run
