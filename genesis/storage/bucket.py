"""An S3 bucket as the settings name it: its clients, and what goes wrong with it in words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from obstore import exceptions
from obstore.store import S3Store as Client

from genesis.errors import Misconfigured, Unavailable
from genesis.ports.blobs import no_content
from genesis.settings import Settings
from genesis.storage.sigv4 import Credentials

if TYPE_CHECKING:  # the library has these types for checkers only
    from obstore.store import BackoffConfig, S3Config

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._-]+)*/?", re.ASCII)
_CODE = re.compile(r"<Code>(\w{1,64})</Code>", re.ASCII)
_REFUSALS = {"AccessDenied", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch"}
_USE_URL = "Use s3://bucket or s3://bucket/prefix."
_USE_ENDPOINT = "Use https://host, or http://host:port where the store has no TLS."
_CONNECT = timedelta(seconds=5)
_BACKOFF: "BackoffConfig" = {
    "init_backoff": timedelta(milliseconds=100),
    "max_backoff": timedelta(seconds=2),
    "base": 2,
}


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where contents lie in S3.

    Attributes:
        prefix: before every key, without slashes at its ends; "" for none.
        endpoint: of a store that is not Amazon's.
        public_url: under which those who are given presigned requests reach the store.
        credentials: None for those that the machine or pod is given.
    """

    name: str
    prefix: str
    region: str
    endpoint: str | None = None
    public_url: str | None = None
    credentials: Credentials | None = None

    def client(self, *, seconds: float, retries: int, public: bool = False) -> Client:
        """A client for the contents below the prefix.

        Args:
            seconds: longest that one request may take, its body included.
            public: whether it is for signing what others send.
        """
        endpoint = self.presigned_for if public else self.endpoint
        # Not all stores know the deletion of many at once, which one content does not need.
        config: S3Config = {"region": self.region, "disable_bulk_delete": True}
        if endpoint is not None:
            config["endpoint"] = endpoint
        # Without any, the library finds the credentials of the machine.
        if self.credentials is not None:
            config["access_key_id"] = self.credentials.access_key_id
            config["secret_access_key"] = self.credentials.secret_access_key
            if self.credentials.session_token:
                config["session_token"] = self.credentials.session_token
        limit = timedelta(seconds=seconds)
        return Client(
            self.name,
            prefix=self.prefix or None,
            config=config,
            client_options={
                "allow_http": (endpoint or "").startswith("http://"),
                "connect_timeout": _CONNECT,
                "timeout": limit,
            },
            retry_config={"max_retries": retries, "retry_timeout": limit, "backoff": _BACKOFF},
        )

    @property
    def presigned_for(self) -> str | None:
        """Where presigned requests go, as a URL without the bucket; None for Amazon's."""
        return self.public_url or self.endpoint

    def url(self, key: str) -> str:
        """Of a content, for presigned requests."""
        name = "/".join(part for part in (self.prefix, key) if part)
        return self._url(self.presigned_for, name)

    def inner_url(self, name: str) -> str:
        """Of an object as its whole name has it, or of the bucket where that is empty, for requests of our own."""
        return self._url(self.endpoint, name)

    def _url(self, endpoint: str | None, name: str) -> str:
        base = endpoint or f"https://s3.{self.region}.amazonaws.com"
        return "/".join((base, self.name, *([quote(name, safe="/")] if name else [])))


def bucket_of(settings: Settings) -> Bucket:
    """The bucket that the settings name.

    Raises:
        Misconfigured: one of them cannot be used.
    """
    parts = urlsplit(settings.storage_url or "")
    extras = parts.query or parts.fragment
    if extras or not _BUCKET.fullmatch(parts.netloc) or not _PREFIX.fullmatch(parts.path):
        raise Misconfigured("STORAGE_URL: an S3 URL names a bucket, a prefix, and nothing else.", hint=_USE_URL)
    return Bucket(
        name=parts.netloc,
        prefix=parts.path.strip("/"),
        region=settings.aws_region,
        endpoint=_web_url("AWS_ENDPOINT_URL", settings.aws_endpoint_url),
        public_url=_web_url("STORAGE_PUBLIC_URL", settings.storage_public_url),
        credentials=_credentials(settings),
    )


def _credentials(settings: Settings) -> Credentials | None:
    key, secret, token = settings.aws_access_key_id, settings.aws_secret_access_key, settings.aws_session_token
    if key is None and secret is None:
        return None
    if key is None or secret is None:
        raise Misconfigured(
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: one of them is missing.",
            hint="Set both, or neither to use what the machine or pod is given.",
        )
    return Credentials(key.get_secret_value(), secret.get_secret_value(), token.get_secret_value() if token else None)


def _web_url(name: str, value: str | None) -> str | None:
    if value is None:
        return None
    # The URL is not repeated in messages: it may carry a password.
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or "@" in value or "?" in value or "#" in value:
        raise Misconfigured(f"{name}: this is not the URL of an S3 store.", hint=_USE_ENDPOINT)
    return value.rstrip("/")


@contextmanager
def answering(verb: str, key: str = "") -> Iterator[None]:
    """Turns what the library raises into errors of ours, which repeat nothing of its messages but codes.

    Raises:
        NotFound: there is no such content.
        Unavailable: the store refuses, or does not answer.
    """
    try:
        yield
    except FileNotFoundError as error:
        if key and code_of(error) != "NoSuchBucket":
            raise no_content(key) from error
        raise _unavailable(verb, error) from error
    except (exceptions.BaseError, TimeoutError) as error:
        raise _unavailable(verb, error) from error


def code_of(error: BaseException) -> str:
    """The code of S3's that an error carries; "" for none."""
    found = _CODE.search(str(error))
    return found[1] if found else ""


def is_refusal(error: BaseException | None) -> bool:
    """Whether the store does not accept who asks."""
    if isinstance(error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError):
        return True
    # Of a listing the library tells the code only.
    return error is not None and code_of(error) in _REFUSALS


def _unavailable(verb: str, error: BaseException) -> Unavailable:
    code = code_of(error)
    if is_refusal(error):
        return Unavailable(
            f"The S3 store cannot {verb}: it refuses the credentials ({code or 'access denied'}).",
            hint="Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what they are allowed to.",
        )
    if code == "NoSuchBucket":
        return Unavailable(
            f"The S3 store cannot {verb}: there is no such bucket.", hint="Create the bucket that STORAGE_URL names."
        )
    reason = f"it answers {code}" if code else "it does not answer"
    return Unavailable(
        f"The S3 store cannot {verb}: {reason}.", hint="Check that the store at AWS_ENDPOINT_URL is up, and its log."
    )
