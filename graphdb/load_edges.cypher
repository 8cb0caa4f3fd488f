// The dependences of a run, lower index to higher.
UNWIND $rows AS row
MATCH (a:Feature {id: row.source})
MATCH (b:Feature {id: row.target})
MERGE (a)-[d:DEPENDS {run: row.run}]->(b)
SET d += row.properties
RETURN count(*) AS written
