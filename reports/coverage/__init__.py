"""Clauses and coverage: the state of each clause and reading, and what the run exercised of each schema."""
