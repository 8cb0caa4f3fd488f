// The links of a run that the residual stream carries, earlier feature to later.
UNWIND $rows AS row
MATCH (a:Feature {id: row.source})
MATCH (b:Feature {id: row.target})
MERGE (a)-[l:CARRIES {run: row.run}]->(b)
SET l += row.properties
RETURN count(*) AS written
