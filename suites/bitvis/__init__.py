"""The suite of bitvis: its test client, models and oracles, and a test file for each section of its document."""
