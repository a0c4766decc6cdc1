"""Mutation testing of load runs: they find each fault that only load shows, and never blame a correct server."""
