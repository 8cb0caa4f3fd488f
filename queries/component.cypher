// The connected component of a feature: every feature that kept edges of a run lead to.
//
// walk: hop
// param feature: feature -- id of the feature
// param run: run -- the run
// param limit: integer = 0 -- most rows, the nearest; 0 for all
// column id: string -- model/source/index
// column hops: integer -- from the feature, 0 the feature itself
// column label: string -- the label
