// Every feature of the sites of a run.
MATCH (:Run {id: $run})-[:OF]->(:Site)<-[:IN]-(f:Feature)
RETURN f.id AS id
ORDER BY id
