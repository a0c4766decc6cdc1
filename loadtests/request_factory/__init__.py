"""Creates requests from a contract: templates as bytes, and the values that differ from request to request."""
