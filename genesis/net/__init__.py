"""The network: one HTTP client for providers, and the guarded fetcher for URLs that users give."""
