"""Opens the store of files that the settings name."""

import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from genesis.errors import Misconfigured
from genesis.ports.blobs import BlobStore
from genesis.settings import Settings
from genesis.storage.file import FileStore


def open_store(settings: Settings) -> BlobStore:
    """Opens the store; a missing folder is created.

    Raises:
        Misconfigured: STORAGE_URL is not one that is supported, or the folder cannot be created or written to.
    """
    if settings.storage_url is None:
        name, root = "STORAGE_PATH", settings.storage_path.absolute()
    else:
        name, root = "STORAGE_URL", _folder(settings.storage_url)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=".") as trial:
            (Path(trial) / "file").touch()
            (Path(trial) / "link").hardlink_to(Path(trial) / "file")
    except OSError as error:
        raise Misconfigured(
            f"{name}: files cannot be written to {root}: {error.strerror or error}.",
            hint="Name a folder that this process may write to, on a file system with hard links.",
        ) from error
    return FileStore(root)


def _folder(url: str) -> Path:
    # The URL is not repeated in messages: it may carry a password.
    try:
        parts = urlsplit(url)
    except ValueError:
        raise Misconfigured("STORAGE_URL: this is not a URL.", hint="Use file:///absolute/folder.") from None
    if parts.scheme != "file":
        raise Misconfigured(
            f"STORAGE_URL: the scheme {parts.scheme or '(none)'} is not supported.", hint="Use file:///absolute/folder."
        )
    path = Path(unquote(parts.path))
    extras = parts.netloc.removeprefix("localhost") + parts.query + parts.fragment
    if extras or not path.is_absolute() or "\0" in str(path):
        raise Misconfigured(
            "STORAGE_URL: a file URL names an absolute folder and nothing else.", hint="Use file:///absolute/folder."
        )
    return path
