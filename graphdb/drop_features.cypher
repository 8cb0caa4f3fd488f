// Every feature of the sites of a run; what others have put there is none.
MATCH (:Run {id: $run})-[:OF]->(s:Site)<-[:IN]-(f:Feature)
WHERE f.site = s.id AND f.index IS NOT NULL
RETURN f.id AS id
ORDER BY id
