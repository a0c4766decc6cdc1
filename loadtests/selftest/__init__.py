"""Self-tests of the load tests: the engine, users, the Locust plugin, benchmarks, and whole runs."""
