"""Pipelines as data: the built-in ones as YAML, their validator, and the contract that a job is checked against."""
