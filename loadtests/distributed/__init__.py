"""A run in one process or several: roles, load generators, results, and the state that they share."""
