"""Typed Python client of the Genesis platform."""

from genesis_client.client import GenesisClient, job_request
from genesis_client.errors import GenesisProblem, JobNotCompleted

__all__ = ["GenesisClient", "GenesisProblem", "JobNotCompleted", "job_request"]
