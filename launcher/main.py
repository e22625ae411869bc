"""The command `genesis-server`."""

import asyncio
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self, cast

import click

from genesis import __version__
from genesis.errors import GenesisError
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


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--no-files", is_flag=True, help="Leave out the files' contents: their store is backed up by itself.")
def backup(file: Path, *, no_files: bool) -> None:
    """Writes database and files into one archive, while the platform goes on. It holds everything: keep it safe."""
    from launcher.backup import back_up

    with _settings() as settings, _Bar("Backing up") as bar:
        made = asyncio.run(back_up(settings, file, with_files=not no_files, begin=bar.begin))
    gone = f" {made.vanished} files were deleted meanwhile." if made.vanished else ""
    click.echo(f"{file} holds {_counted(made.jobs, 'job')} and {_counted(made.contents, 'file')}.{gone}")


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--queued",
    type=click.Choice(["hold", "run", "cancel"]),
    default="hold",
    show_default=True,
    help="What becomes of jobs that are not over. Held ones wait for `genesis-server resume`: they may have run since.",
)
def restore(file: Path, queued: str) -> None:
    """Restores a backup into an empty database and an empty store, while nobody uses them."""
    from genesis.database.incarnation import Queued
    from launcher.backup import restore as bring_back

    with _settings() as settings, _Bar("Restoring") as bar:
        restored, contents = asyncio.run(bring_back(settings, file, Queued(queued), bar.begin))
    click.echo(f"Restored: {_counted(restored.jobs, 'job')} and {_counted(contents, 'file')}.")
    if restored.unknown:
        click.echo(f"Of {restored.unknown} calls nobody knows whether they were charged; their jobs say so.")
    if restored.held:
        click.echo(
            f"{restored.held} jobs wait for a word: start the platform, look at them, then `genesis-server resume`."
        )


@main.command()
@click.option("--url", help="Where the platform is.  [default: by GENESIS_HOST and GENESIS_PORT]")
def resume(url: str | None) -> None:
    """Lets the jobs go on that wait for a word since a backup was restored; the platform has to run."""
    from launcher.backup import resume as let_go

    with _settings() as settings:
        count = asyncio.run(let_go((url or _own_url(settings)).rstrip("/")))
    click.echo(f"{count} jobs go on.")


@main.group()
def storage() -> None:
    """Works on the store of files."""


@storage.command()
@click.option("--to", required=True, help="URL of the other store: file:///folder or s3://bucket/prefix.")
def copy(to: str) -> None:
    """Copies all files and receipts to another store, and reads each copy back; start it again after an interruption."""
    from launcher.storage import copy_storage

    with _settings() as settings, _Bar("Copying") as bar:
        outcome = asyncio.run(copy_storage(settings, to, bar.begin))
    for key, reason in outcome.failures.items():
        click.echo(f"{key}: {reason}", err=True)
    click.echo(
        f"{outcome.copied} copied and verified, {outcome.present} there already, {outcome.vanished} deleted meanwhile, "
        f"{len(outcome.failures)} failed.{'' if outcome.is_whole else ' Others were not tried.'}"
    )
    if outcome.failures:
        sys.exit(1)


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _own_url(settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104  # it is never bound
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


class _Bar:
    """A bar of progress on standard error, once it is known how much there is to do."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        # What was begun is tidied up as after Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def begin(self, length: int) -> Callable[[int], None]:
        """Shows it; the returned function moves it on."""
        bar: Any = click.progressbar(
            length=max(length, 1), label=self._label, file=sys.stderr, update_min_steps=1_000_000
        )
        return cast("Callable[[int], None]", self._stack.enter_context(bar).update)


@contextmanager
def _settings() -> Iterator[Settings]:
    """The settings; a wrong one, or whatever else stands in the way, ends the process with a message that says what to do."""
    try:
        yield Settings.load()
    except GenesisError as error:
        click.echo(f"genesis-server: {error.message}\n{error.hint}".strip(), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
