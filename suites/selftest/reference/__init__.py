"""Self-tests of the reference servers: their honest behaviour, and that every change of it is visible."""
