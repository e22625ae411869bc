"""How the engine reaches the workers: over HTTP, or in the same process."""
