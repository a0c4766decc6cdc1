"""Tests of the runs under conditions that flowproof must bear."""
