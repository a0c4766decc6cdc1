"""Recorded traffic: readers of HAR files and access logs."""
