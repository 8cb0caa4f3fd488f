// The labels of some features of a site, as columns, for those that have one.
UNWIND $indexes AS at
MATCH (f:Feature {id: $site + '/' + toString(at)})
WHERE f.label IS NOT NULL
RETURN collect(at) AS index, collect(f.label) AS label
