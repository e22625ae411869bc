"""Benchmarks: each promise in numbers, reproduced by one command; see README.md."""
