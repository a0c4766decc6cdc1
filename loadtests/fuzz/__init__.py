"""Hostile bytes for the engine's parsers and connections, by the million: `python -m loadtests.fuzz --inputs 1000000`.

`corpus` has honest bytes and spoils them, `claims` says what must hold whatever comes, `pairing` what must hold of
whole connections. An input that breaks a claim is made small and saved.
"""
