"""The suite of flowapp: its test client, strategies, and a test file for each section of its document."""
