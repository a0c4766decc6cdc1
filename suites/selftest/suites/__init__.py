"""Self-tests of the suites package: collection, mutation testing, and the differences that comparisons detect."""
