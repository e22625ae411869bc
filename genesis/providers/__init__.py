"""Providers: pure adapters to services that generate, and the offline provider `local`."""
