// Where a feature comes from and what becomes of it: the features that links lead to, up and down the layers.
// Each comes once, by its best path.
//
// walk: hop
// param feature: feature -- id of the feature
// param kinds: list in CARRIES, DRIVES = ["CARRIES", "DRIVES"] -- which links are followed
// param max_hops: integer = 64 -- largest number of links in a path
// param min_weight: number = 0 -- least size of each weight
// param runs: runs -- the runs whose links are followed
// param limit: integer = 0 -- most features on either side, the best; 0 for all
// column id: string -- model/source/index
// column layer: integer -- of the residual stream
// column hops: integer -- links on the way: below 0 in earlier layers, above 0 in later ones, 0 the feature itself
// column through: string -- the next feature on the way back to the one asked for
// column kind: string -- CARRIES or DRIVES: the link to that one
// column weight: number -- of that link
// column score: number -- product of the sizes of the weights on the way
// column label: string -- the label
// column ablation_effect: number -- of that link, if it was tried: mean change of its later feature when the earlier one is taken out
