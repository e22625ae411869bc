"""The child process of the offline provider: one capability behind an OpenAI-shaped server on the loopback address."""
