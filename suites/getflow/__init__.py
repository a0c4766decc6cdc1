"""The suite of getflow: its test client, strategies, and a test file for each section of its document."""
