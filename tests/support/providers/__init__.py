"""Servers that speak as the providers do, each true to its provider's own client library; for tests."""
