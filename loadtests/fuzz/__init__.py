"""Fuzzes the engine's parsers and connections: `python -m loadtests.fuzz --inputs 1000000`.

`mutator` mutates valid bytes; `parser_properties` and `connection_properties` check what must hold for any input. An
input that violates a property is shrunk and saved.
"""
