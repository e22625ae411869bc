"""What routes are handed."""

from typing import Annotated

from fastapi import Depends, Request

from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.engine.engine import Engine
from genesis.ports.blobs import BlobStore


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


def _store(request: Request) -> BlobStore:
    store: BlobStore = request.app.state.store
    return store


def _organization() -> str:
    return DEFAULT_ORGANIZATION


EngineDependency = Annotated[Engine, Depends(_engine)]
StoreDependency = Annotated[BlobStore, Depends(_store)]
OrganizationDependency = Annotated[str, Depends(_organization)]
