// What the bulk way of a server knows a site and a run by.
MATCH (s:Site {id: $site})
MATCH (r:Run {id: $run})
RETURN elementId(s) AS site, elementId(r) AS run
