"""Mutation testing of load runs: they find each fault that only load shows, and no violation on a correct server."""
