"""The command `genesis-server`."""

import sys

import click

from genesis import __version__
from genesis.errors import Misconfigured
from genesis.settings import Settings


@click.group()
@click.version_option(__version__)
def main() -> None:
    """Genesis generates text, images and audio through any provider. Settings are environment variables."""


@main.command()
@click.option("--host", help="Address to bind to.  [default: GENESIS_HOST or 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to bind to.  [default: GENESIS_PORT or 8000]")
def up(host: str | None, port: int | None) -> None:
    """Serves page and API, with all workers in the same process."""
    from launcher.up import serve

    try:
        settings = Settings.load()
        serve(settings, host or settings.host, settings.port if port is None else port)
    except Misconfigured as error:
        click.echo(f"genesis-server: {error.message}\n{error.hint}".strip(), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
