// Some of what belongs to the communities that a run made; asked again until there is none.
MATCH (:Community {run: $run})<-[m:MEMBER_OF]-(:Feature)
WITH m LIMIT $most
DELETE m
RETURN count(m) AS deleted
