// A feature of a site, if it has any; `$first` is the id of the one that is made first.
OPTIONAL MATCH (f:Feature {id: $first})
OPTIONAL MATCH (:Site {id: $site})<-[i:IN]-()
WITH f, i LIMIT 1
WHERE f IS NOT NULL OR i IS NOT NULL
RETURN true AS found
