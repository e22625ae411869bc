"""Hugging Face: text over its router's chat completions, media over the partners behind the same key."""
