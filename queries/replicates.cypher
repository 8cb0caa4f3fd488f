// The replicate table of a run, as JSON: for every r the edges seen in at least r replicates, and how many chance gives.
//
// param run: run -- the run
// column run: string -- its id
// column r_star: integer -- least r whose FDR is at most the run's
// column replicate_table: string -- JSON: objects with replicates, observed, null, fdr
MATCH (r:Run {id: $run})
RETURN r.id AS run, r.r_star AS r_star, r.replicate_table AS replicate_table
