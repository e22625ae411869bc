"""Signs URLs for S3 with Amazon's Signature Version 4, query parameters of the request included.

The object-store library signs a method and a path, but not what a response's headers shall be. The scheme is Amazon's
"Authenticating Requests: Using Query Parameters (AWS Signature Version 4)".
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from urllib.parse import quote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Credentials:
    """A long-lived or temporary key of Amazon's kind."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


def presigned(
    method: str,
    url: str,
    credentials: Credentials,
    *,
    region: str,
    now: datetime,
    seconds: int,
    query: Mapping[str, str],
    headers: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """The URL, with a signature that allows this request to whoever has it.

    Args:
        url: without a query; its path is percent-encoded already.
        now: in UTC.
        seconds: from then on it is allowed for.
        query: what else the request says, for example `response-content-type`.
        headers: that the request has to have, by their names in small letters; beside the host's.
    """
    parts = urlsplit(url)
    moment = f"{now:%Y%m%dT%H%M%SZ}"
    scope = f"{now:%Y%m%d}/{region}/s3/aws4_request"
    host = parts.hostname or ""
    if parts.port not in (None, _PORTS.get(parts.scheme)):
        host = f"{host}:{parts.port}"
    given = sorted({**headers, "host": host}.items())
    names = ";".join(name for name, _ in given)
    fields = {
        **query,
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{credentials.access_key_id}/{scope}",
        "X-Amz-Date": moment,
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": names,
    }
    if credentials.session_token:
        fields["X-Amz-Security-Token"] = credentials.session_token
    asked = "&".join(f"{name}={value}" for name, value in sorted((_encoded(n), _encoded(v)) for n, v in fields.items()))
    lines = (f"{name}:{value}" for name, value in given)
    request = "\n".join((method, parts.path or "/", asked, *lines, "", names, "UNSIGNED-PAYLOAD"))
    digest = hashlib.sha256(request.encode()).hexdigest()
    signed = f"{_ALGORITHM}\n{moment}\n{scope}\n{digest}"
    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in (*scope.split("/"), signed):
        key = hmac.digest(key, part.encode(), "sha256")
    return f"{url}?{asked}&X-Amz-Signature={key.hex()}"


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")
