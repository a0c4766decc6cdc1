"""Judges: they compare an exchange with the contract and return findings, for HTTP, RPC replies and refusals."""
