"""The run in the formats of CI servers: SARIF, CTRF, GitLab's code quality, and what GitHub shows beside a job.

What belongs here: one pure function for each format, from verdicts to text. Each tells the same verdicts and causes as
the console; where a format wants a place in a file, it is the clause in the contract.
"""
