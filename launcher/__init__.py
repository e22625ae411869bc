"""The launcher: the one place that joins gateway and workers in a process."""
