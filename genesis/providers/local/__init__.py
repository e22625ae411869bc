"""The offline provider: a child process that generates on the CPU without a network, and what the worker needs for it."""
