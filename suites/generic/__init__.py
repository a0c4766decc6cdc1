"""Tests of every operation, call and resource of every contract: conformance, refusals and record lifecycles."""
