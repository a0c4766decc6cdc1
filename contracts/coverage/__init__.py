"""Schema coverage: which parts of a contract can be exercised, and which of them exchanges did exercise."""
