"""Self-tests of the contracts package: documents, judges and coverage."""
