// The links of a run that the blocks between make, earlier feature to later.
UNWIND $rows AS row
MATCH (a:Feature {id: row.source})
MATCH (b:Feature {id: row.target})
MERGE (a)-[l:DRIVES {run: row.run}]->(b)
SET l += row.properties
RETURN count(*) AS written
