"""The procedural illustrator: draws what a prompt names, without a model, a key or a network."""

from genesis.providers.local.server.illustrator.illustration import illustrate as illustrate
from genesis.providers.local.server.illustrator.scene import Scene as Scene
from genesis.providers.local.server.illustrator.scene import read_scene as read_scene
from genesis.providers.local.server.illustrator.scene import without as without

__all__ = ["Scene", "illustrate", "read_scene", "without"]
