"""Proof that a comparison with a record names what changed, and is silent otherwise: `tox -e prove-drift`.

Rule: nothing here knows how behaviours are observed or compared: `api_observation.py` calls the code that a drift run
uses.
"""
