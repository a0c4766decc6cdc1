"""What changed in how a target behaves: recorded behaviour, the changes between two records, and how people read them.

What belongs here: files of records, comparison, severities, verdicts and pages. Nothing here sends a request.
"""
