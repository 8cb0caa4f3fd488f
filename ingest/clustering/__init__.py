"""Communities of features: read a graph out of a database, divide it, write what was found."""
