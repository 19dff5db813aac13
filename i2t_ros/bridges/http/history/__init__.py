"""Results kept in a database, and their pictures."""
