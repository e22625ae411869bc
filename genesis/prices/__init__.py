"""Prices of models: the operator's table, and what the platform is shipped with."""
