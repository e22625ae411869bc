"""What routes are handed."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from gateway.serving import ContentServer
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.engine.engine import Engine
from genesis.errors import Unavailable
from genesis.files.service import Files
from genesis.files.watching import StoreWatch
from genesis.settings import Settings


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


def files_of(connection: HTTPConnection) -> Files:
    """The files of this application.

    Raises:
        Unavailable: their records are not there yet, for the database does not answer.
    """
    files: Files | None = connection.app.state.files
    if files is None:
        raise Unavailable(connection.app.state.waiting_for, hint="Try again in a few seconds; /ready says how it is.")
    return files


def contents_of(connection: HTTPConnection) -> ContentServer:
    """Serves what is in the store; it needs no database."""
    contents: ContentServer = connection.app.state.contents
    return contents


def store_watch_of(connection: HTTPConnection) -> StoreWatch | None:
    """What is known of the store; None in an application that takes no files."""
    watch: StoreWatch | None = getattr(connection.app.state, "store_watch", None)
    return watch


def settings_of(connection: HTTPConnection) -> Settings:
    """The settings of this application."""
    settings: Settings = connection.app.state.settings
    return settings


EngineDependency = Annotated[Engine, Depends(engine_of)]
FilesDependency = Annotated[Files, Depends(files_of)]
ContentsDependency = Annotated[ContentServer, Depends(contents_of)]
OrganizationDependency = Annotated[str, Depends(organization_of)]
