"""What routes are handed."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.engine.engine import Engine
from genesis.errors import Unavailable
from genesis.ports.blobs import BlobStore


def engine_of(connection: HTTPConnection) -> Engine:
    """The engine that serves this application.

    Raises:
        Unavailable: it is not there yet, for the database does not answer.
    """
    engine = possible_engine_of(connection)
    if engine is None:
        raise Unavailable(connection.app.state.waiting_for, hint="Try again in a few seconds; /ready says how it is.")
    return engine


def possible_engine_of(connection: HTTPConnection) -> Engine | None:
    """The engine, None before the database answers for the first time."""
    engine: Engine | None = connection.app.state.engine
    return engine


def organization_of(_connection: HTTPConnection) -> str:
    """The organization that a caller belongs to."""
    return DEFAULT_ORGANIZATION


def _store(connection: HTTPConnection) -> BlobStore:
    store: BlobStore = connection.app.state.store
    return store


EngineDependency = Annotated[Engine, Depends(engine_of)]
StoreDependency = Annotated[BlobStore, Depends(_store)]
OrganizationDependency = Annotated[str, Depends(organization_of)]
