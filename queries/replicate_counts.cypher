// How many edges of a run are seen in how many replicates.
//
// stored: replicate_counts replicate_edges replicate_kept
// param run: run -- the run
// column replicates: integer -- replicates that show the edge
// column edges: integer -- edges stored, seen in exactly so many
// column kept: integer -- those of them that pass the run's FDR
MATCH (r:Run {id: $run})
UNWIND range(0, size(r.replicate_counts) - 1) AS at
RETURN r.replicate_counts[at] AS replicates, r.replicate_edges[at] AS edges, r.replicate_kept[at] AS kept
ORDER BY replicates
