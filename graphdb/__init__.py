"""The store: schema, rows, loading, the one driver, and the servers we start ourselves."""
