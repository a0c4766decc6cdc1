"""Tests of flowproof itself, never of a vendor; the folders mirror the packages that are tested."""
