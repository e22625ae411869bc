"""Signed links: whoever has one may do what it says until its time is over."""

import hmac
from base64 import urlsafe_b64encode
from urllib.parse import urlencode

from genesis.domain.identity import Milliseconds
from genesis.errors import Forbidden

EXPIRES = "expires"
SIGNATURE = "signature"

_PURPOSE = b"genesis link 1"
_MOST_DIGITS = 12
_HINT = "Ask for a new link with `POST /files/{id}/links`, or for a new upload with `POST /files/presign`."


def signature(key: bytes, method: str, path: str, expires: int) -> str:
    """The signature of a link: HMAC-SHA256 (RFC 2104), in the alphabet of URLs and without padding.

    Args:
        path: with its query, if that is to be signed as well.
        expires: seconds since 1970 until which the link is good.
    """
    said = b"\n".join((_PURPOSE, method.encode(), path.encode(), str(expires).encode()))
    return urlsafe_b64encode(hmac.digest(key, said, "sha256")).rstrip(b"=").decode()


def signed(key: bytes, method: str, path: str, expires: int) -> str:
    """The path, or path and query, as a link that is good for requests of this method."""
    given = urlencode({EXPIRES: expires, SIGNATURE: signature(key, method, path, expires)})
    return f"{path}{'&' if '?' in path else '?'}{given}"


def check_signed(key: bytes, method: str, path: str, expires: str, given: str, *, now: Milliseconds) -> None:
    """Lets a link pass.

    Args:
        path: as it was signed.
        expires, given: what the link says of its end and as its signature, as they came.

    Raises:
        Forbidden: it is not a link of ours, or not any more.
    """
    genuine = False
    if expires.isascii() and expires.isdigit() and len(expires) <= _MOST_DIGITS:
        right = signature(key, method, path, int(expires))
        genuine = hmac.compare_digest(right.encode(), given.encode(errors="replace"))
    if not genuine:
        raise Forbidden("The signature of this link is wrong.", hint=f"Use the link whole, as it was given. {_HINT}")
    if int(expires) * 1000 <= now:
        raise Forbidden("The time of this link is over.", hint=_HINT)
