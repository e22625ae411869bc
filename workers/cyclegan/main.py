"""The cyclegan worker: `uvicorn workers.cyclegan.main:app`."""

from starlette.types import ASGIApp

from workers.app import create_worker


def __getattr__(name: str) -> ASGIApp:
    """Builds `app` when a server asks for it, so that importing this module reads no settings."""
    if name == "app":
        return create_worker("image_transform")
    raise AttributeError(name)
