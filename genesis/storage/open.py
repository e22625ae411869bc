"""Opens the store of files that the settings name."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from genesis.errors import Misconfigured, Unavailable
from genesis.ports.blobs import BlobStore
from genesis.settings import Settings
from genesis.storage.file import FileStore
from genesis.storage.tree import Tree

_RECEIPTS = ".receipts"
_TRIAL_SECONDS = 10.0
_USE = "Use file:///absolute/folder or s3://bucket/prefix."


def open_store(settings: Settings) -> BlobStore:
    """Opens the store, and tries to write to it; a missing folder is created, a missing bucket is not.

    Raises:
        Misconfigured: STORAGE_URL is not one that is supported, or the folder or bucket cannot be written to.
    """
    if settings.storage_url is None:
        return _open_folder("STORAGE_PATH", settings.storage_path.absolute())
    if settings.storage_url.startswith("s3://"):
        return _open_bucket(settings)
    return _open_folder("STORAGE_URL", _folder(settings.storage_url))


def open_receipts(settings: Settings) -> BlobStore:
    """The store of receipts, within the store of files: below a name that no key of a file has.

    Raises:
        Misconfigured: it cannot be written to.
    """
    if settings.storage_url is None:
        return open_store(settings.model_copy(update={"storage_path": settings.storage_path / _RECEIPTS}))
    return open_store(settings.model_copy(update={"storage_url": f"{settings.storage_url.rstrip('/')}/{_RECEIPTS}"}))


def _open_folder(name: str, root: Path) -> BlobStore:
    try:
        root.mkdir(parents=True, exist_ok=True)
        Tree(root).check()
    except OSError as error:
        raise Misconfigured(
            f"{name}: files cannot be written to {root}: {error.strerror or error}.",
            hint="Name a folder that this process may write to, on a file system with hard links.",
        ) from error
    return FileStore(root)


def _open_bucket(settings: Settings) -> BlobStore:
    from genesis.storage.bucket import answering, bucket_of, code_of, is_refusal
    from genesis.storage.s3 import S3Store, replaces_nothing

    bucket = bucket_of(settings)
    try:
        with answering("write"):
            is_conditional = replaces_nothing(bucket.client(seconds=_TRIAL_SECONDS, retries=1))
    except Unavailable as error:
        if is_refusal(error.__cause__):
            name = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        elif bucket.credentials is None and not (error.__cause__ and code_of(error.__cause__)):
            name = "AWS_ACCESS_KEY_ID or AWS_ENDPOINT_URL"
        elif bucket.endpoint is None or (error.__cause__ and code_of(error.__cause__)):
            name = "STORAGE_URL"
        else:
            name = "AWS_ENDPOINT_URL"
        raise Misconfigured(f"{name}: {error.message}", hint=error.hint) from error
    return S3Store(bucket, is_conditional=is_conditional)


def _folder(url: str) -> Path:
    # The URL is not repeated in messages: it may carry a password.
    try:
        parts = urlsplit(url)
    except ValueError:
        raise Misconfigured("STORAGE_URL: this is not a URL.", hint=_USE) from None
    if parts.scheme != "file":
        raise Misconfigured(f"STORAGE_URL: the scheme {parts.scheme or '(none)'} is not supported.", hint=_USE)
    path = Path(unquote(parts.path))
    extras = parts.netloc.removeprefix("localhost") + parts.query + parts.fragment
    if extras or not path.is_absolute() or "\0" in str(path):
        raise Misconfigured("STORAGE_URL: a file URL names an absolute folder and nothing else.", hint=_USE)
    return path
