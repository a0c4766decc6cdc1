"""What earlier runs found at each target: a file for each API and target, and what has changed since the last run."""
