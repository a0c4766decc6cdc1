"""Validates responses under load: conformance to the contract, and invariants over the whole run."""
