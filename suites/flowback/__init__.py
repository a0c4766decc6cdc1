"""The suite of flowback: its test client, list oracle, and a test file for each section of its document."""
