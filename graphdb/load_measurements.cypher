// What a run measured of each feature.
UNWIND $rows AS row
MATCH (f:Feature {id: row.feature})
MATCH (r:Run {id: row.run})
MERGE (f)-[m:MEASURED_IN]->(r)
SET m += row.properties
RETURN count(*) AS written
