// One statement a line's end; each may be run any number of times.
CREATE CONSTRAINT stratigraph_site_id IF NOT EXISTS FOR (s:Site) REQUIRE s.id IS UNIQUE;
CREATE CONSTRAINT stratigraph_feature_id IF NOT EXISTS FOR (f:Feature) REQUIRE f.id IS UNIQUE;
CREATE CONSTRAINT stratigraph_run_id IF NOT EXISTS FOR (r:Run) REQUIRE r.id IS UNIQUE;
CREATE CONSTRAINT stratigraph_community_id IF NOT EXISTS FOR (c:Community) REQUIRE c.id IS UNIQUE;
CREATE INDEX stratigraph_community_run IF NOT EXISTS FOR (c:Community) ON (c.run);
