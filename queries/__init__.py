"""The answers: Cypher texts, a typed catalogue of them, and their rendering."""
