// The communities that a community is tied to by kept edges and links, of those made by the same run.
//
// param community: community -- id of the community
// param runs: runs -- the runs whose edges and links count
// param limit: integer = 0 -- most rows, 0 for all
// column id: string -- of the other community
// column size: integer -- its members
// column edges: integer -- kept edges between the two
// column links: integer -- links between the two, either way
// column strength: number -- sum of the sizes of all their weights
// column label: string -- of the other community

// Strongest first, to a millionth: sums of the same weights in two orders differ in their last bits.
MATCH (c:Community {id: $community})<-[:MEMBER_OF]-(:Feature)-[e:DEPENDS|CARRIES|DRIVES]-(:Feature)-[:MEMBER_OF]->(o:Community)
WHERE o.run = c.run AND o.id <> c.id AND e.run IN $runs AND coalesce(e.kept, true)
WITH o, sum(CASE WHEN type(e) = 'DEPENDS' THEN 1 ELSE 0 END) AS edges, count(e) AS every,
     sum(abs(e.weight)) AS strength
RETURN o.id AS id, o.size AS size, edges, every - edges AS links, strength, o.label AS label
ORDER BY round(strength * 1000000) DESC, id
LIMIT $limit
