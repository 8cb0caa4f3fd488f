// Communities of a run.
UNWIND $rows AS row
MERGE (c:Community {id: row.id})
SET c.run = row.run, c += row.properties
