// Lists of a run that are empty: an import of files cannot tell them from no value.
MATCH (r:Run {kind: 'layer'})
SET r.degrees = coalesce(r.degrees, []), r.degree_features = coalesce(r.degree_features, []),
    r.replicate_counts = coalesce(r.replicate_counts, []), r.replicate_edges = coalesce(r.replicate_edges, []),
    r.replicate_kept = coalesce(r.replicate_kept, []), r.components = coalesce(r.components, []),
    r.component_sizes = coalesce(r.component_sizes, []), r.component_edges = coalesce(r.component_edges, []);
