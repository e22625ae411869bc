"""Genesis: what the system knows. How it runs stands in `gateway`, `workers` and `launcher`."""

__version__ = "0.1.0"
