"""Mutation testing of the suites: the kill table as data, as Markdown and as an HTML page."""
