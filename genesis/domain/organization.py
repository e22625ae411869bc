"""Organizations: every row belongs to one."""

from dataclasses import dataclass

DEFAULT_ORGANIZATION = "00000000-0000-7000-8000-000000000001"
"""The organization that exists from the first migration on and owns all that nobody signed in for."""


@dataclass(frozen=True, slots=True)
class Organization:
    """A group of people who share jobs, files and limits."""

    id: str
    name: str
