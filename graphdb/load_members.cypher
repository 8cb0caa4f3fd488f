// Features and the communities that they belong to.
UNWIND $rows AS row
MATCH (f:Feature {id: row.feature})
MATCH (c:Community {id: row.community})
MERGE (f)-[:MEMBER_OF]->(c)
