"""Mutation testing of flowproof's own code: each change by mutmut must fail a self-test."""
