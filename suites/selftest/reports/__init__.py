"""Self-tests of the reports package: verdicts, summaries and HTML pages."""
