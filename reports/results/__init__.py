"""Results of a pytest run: a record of each test, the manifest of the run, and the verdicts of the APIs."""
