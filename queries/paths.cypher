// The best paths from a feature to another one, or to any: the largest products of the sizes of the weights.
// Edges are followed both ways, links from earlier layers to later ones; no path meets a feature twice.
//
// walk: hop
// param from: feature -- where the paths begin
// param to: feature = null -- where they end; left out: anywhere
// param kinds: list in CARRIES, DRIVES, DEPENDS = ["CARRIES", "DRIVES", "DEPENDS"] -- which relationships are followed
// param min_hops: integer = 1 -- least number of hops
// param max_hops: integer = 4 -- largest number of hops
// param min_weight: number = 0 -- least size of each weight
// param through: list = [] -- features, by id, and layers, by number, that a path must meet, ends included
// param shortest: boolean = false -- fewest hops first, then the best
// param runs: runs -- the runs whose edges and links are followed
// param limit: integer = 10 -- most rows, 0 for all
// column nodes: list -- ids of the features, in order
// column kinds: list -- of the relationships between them
// column weights: list -- of the relationships between them, signed
// column score: number -- product of the sizes of the weights
