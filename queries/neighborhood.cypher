// The features up to some hops from a feature, nearest first, then strongest. Each comes once, at its least number
// of hops, by the strongest of the paths that short.
//
// walk: neighbors
// param feature: feature -- id of the feature
// param run: run -- the run whose edges are followed
// param hops: integer = 1 -- largest number of hops
// param all: boolean = false -- also edges that did not pass the run's FDR
// param min_replicates: integer = null -- least number of replicates that show the edge
// param max_q: number = null -- largest q, of the run's own procedure
// param min_partial: number = null -- least size of the partial correlation
// param limit: integer = 0 -- most rows, 0 for all
// column id: string -- model/source/index
// column hops: integer -- from the feature
// column weight: number -- signed strength of the last edge on the way
// column replicates: integer -- replicates that show it
// column null_replicates: integer -- null trials that show it
// column q_shuffle: number -- FDR at its replicate count
// column q_value: number -- q of its own test
// column partial_correlation: number -- -1 to 1
// column decoder_cosine: number -- -1 to 1
// column coactivation: integer -- tokens at which both fire
// column kept: boolean -- passes the run's FDR
// column label: string -- the label
// column through: string -- the feature before it on the way
