"""What people read: verdicts, a summary for a CI page, and one HTML file, all built from the same records.

Rule: the records are files that pytest writes as it goes (Allure results and `run.json`), so they survive a killed
run; nothing here remembers anything else, and what is missing is never green.
"""
