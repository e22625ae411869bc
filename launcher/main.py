"""The command `genesis-server`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from genesis import __version__
from genesis.errors import Misconfigured
from genesis.settings import Settings


@click.group()
@click.version_option(__version__)
def main() -> None:
    """Genesis generates text, images and audio through any provider. Settings are environment variables."""


_HOST = click.option("--host", help="Address to bind to.  [default: GENESIS_HOST or 127.0.0.1]")
_PORT = click.option("--port", type=click.IntRange(0, 65535), help="Port to bind to.  [default: GENESIS_PORT or 8000]")


@main.command()
@_HOST
@_PORT
def up(host: str | None, port: int | None) -> None:
    """Serves page and API, with all workers in the same process."""
    from launcher.up import serve

    with _settings() as settings:
        serve(settings, host or settings.host, settings.port if port is None else port)


@main.command()
@_HOST
@_PORT
def executor(host: str | None, port: int | None) -> None:
    """Runs jobs that gateways accept elsewhere; needs PostgreSQL. The workers are found by their URLs."""
    from launcher.executor import serve_executor

    with _settings() as settings:
        serve_executor(settings, host or settings.host, settings.port if port is None else port)


@main.command()
def migrate() -> None:
    """Creates the database, or brings it up to date, and ends."""
    from genesis.database.open import check_database

    with _settings() as settings:
        check_database(settings)
        click.echo("The database is up to date.")


@main.command()
def check() -> None:
    """Tries every provider's key without paying."""
    from launcher.check import Verdict, check_providers

    with _settings() as settings:
        findings = check_providers(settings)
    width = max(len(finding.provider) for finding in findings)
    for finding in findings:
        served = ", ".join(finding.capabilities)
        click.echo(f"{finding.provider:<{width}}  {finding.verdict:<9}  {finding.detail}  ({served})")
    if any(finding.verdict is Verdict.FAILED for finding in findings):
        sys.exit(1)


@contextmanager
def _settings() -> Iterator[Settings]:
    """The settings; a wrong one ends the process with a message that says what to do."""
    try:
        yield Settings.load()
    except Misconfigured as error:
        click.echo(f"genesis-server: {error.message}\n{error.hint}".strip(), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
