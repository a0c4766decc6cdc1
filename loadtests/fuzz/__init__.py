"""Fuzzes the engine's parsers, connections and validators: `python -m loadtests.fuzz --inputs 1000000`.

`mutator` mutates valid bytes; `parser_properties`, `connection_properties` and `judge_properties` check what must hold
for any input. An input that violates a property is shrunk and saved.
"""
