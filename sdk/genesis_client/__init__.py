"""Typed Python client of the Genesis platform."""

from genesis_client.client import GenesisClient
from genesis_client.errors import GenesisProblem, JobNotCompleted

__all__ = ["GenesisClient", "GenesisProblem", "JobNotCompleted"]
