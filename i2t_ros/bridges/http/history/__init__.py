"""Results that are kept in a database, and their pictures."""
