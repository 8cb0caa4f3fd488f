// The site of a graph. Properties that another load gave it and this one does not know stay.
MERGE (s:Site {id: $site})
SET s += $properties
