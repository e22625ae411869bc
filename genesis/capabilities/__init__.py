"""Capabilities: the kinds of generation, each with typed input, options and output, one file each."""
