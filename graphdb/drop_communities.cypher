// The communities that a run made.
MATCH (c:Community {run: $run})
DETACH DELETE c
