"""The gateway: the platform's HTTP face."""
