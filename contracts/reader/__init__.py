"""Reads the files of a contract strictly, and checks that they fit each other."""
