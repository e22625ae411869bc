"""The seams: what the engine needs from the world, one protocol per file."""
