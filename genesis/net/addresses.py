"""Which URLs and addresses the guarded fetcher may visit; pure, so nothing here asks the DNS."""

import re
import socket
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from yarl import URL

from genesis.errors import InvalidRequest

_GLOBAL_UNICAST = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052: the last four bytes are the IPv4 address that is reached
# Beyond what `ipaddress` of Python 3.11 calls not global: IETF protocol assignments (Teredo among them), 6to4 and its
# relays, documentation, and Azure's platform services, which look public.
_NOT_PUBLIC_4 = tuple(ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32"))
_NOT_PUBLIC_6 = tuple(ip_network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))

_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", re.ASCII)
_LONGEST_NAME = 253
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)  # a host that ends so is an IPv4 address (URL Standard, 3.5)
_PRIVATE_NAME = re.compile(r"(.*\.)?(localhost|local|internal|home\.arpa)")  # RFC 6761, 6762, 8375; ICANN 2024
# Ports of other protocols, whose servers a request might tell something (Fetch Standard, 2.9 "port blocking").
_OTHER_PROTOCOLS = frozenset(
    int(port)
    for port in (
        "1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115 117 119 123"
        " 135 137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 636 989 990"
        " 993 995 1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679 6697 10080"
    ).split()
)
_UNWRITABLE = re.compile(r"[\s\\\x00-\x1f\x7f]")

_PLAIN_HINT = (
    "Give its https:// URL, or ask the operator to set FETCH_PLAIN_HTTP or to add the host to FETCH_ALLOWED_HOSTS."
)
ALLOW_HINT = "Give a URL that is public, or ask the operator to add the host to FETCH_ALLOWED_HOSTS."


def is_public(address: str) -> bool:
    """Whether an IPv4 or IPv6 address belongs to the public internet.

    An IPv6 address that stands for an IPv4 address (mapped, NAT64) is as public as that one. Tunnels (6to4, Teredo) and
    addresses with a zone are not public.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv4Address):
        return _is_public_4(parsed)
    if parsed.scope_id is not None:
        return False
    embedded = parsed.ipv4_mapped or (IPv4Address(parsed.packed[-4:]) if parsed in _NAT64 else None)
    return _is_public_4(embedded) if embedded else _is_public_6(parsed)


def is_allowed(host: str, port: int | None, allowed_hosts: Collection[str]) -> bool:
    """Whether the operator lets this host have an address that is not public.

    Args:
        allowed_hosts: `name` for any port, or `name:port`; an IPv6 address before a port stands in brackets.
    """
    name = host.rstrip(".")
    return any(form in allowed_hosts for form in (name, f"{name}:{port}", f"[{name}]", f"[{name}]:{port}"))


def check_public_url(url: str, allowed_hosts: Collection[str], *, plain_http: bool = False) -> None:
    """Refuses URLs that the fetcher would never visit, as far as that can be told without the DNS.

    Args:
        plain_http: whether hosts that are not in `allowed_hosts` may be visited without https as well.

    Raises:
        InvalidRequest: the URL is malformed, is not http or https, carries a user name or password, names a host
            that is not public or a port of another protocol and is not allowed, or is http where that is not allowed.
    """
    parsed = _parse(url)
    host = (parsed.raw_host or "").rstrip(".")
    if is_allowed(host, parsed.port, allowed_hosts):
        return
    literal = _literal(host)
    private = not is_public(literal) if literal else _PRIVATE_NAME.fullmatch(host) is not None
    if private:
        raise InvalidRequest(f"The host {host} of the URL is not on the public internet.", hint=ALLOW_HINT)
    if literal and ":" not in host and literal != parsed.raw_host:
        raise InvalidRequest(f"The host {parsed.raw_host} of the URL is not a plain address.", hint=f"Write {literal}.")
    if parsed.port in _OTHER_PROTOCOLS:
        raise InvalidRequest(f"The port {parsed.port} of the URL is not one of web servers.", hint=ALLOW_HINT)
    if parsed.scheme == "http" and not plain_http:
        raise InvalidRequest(
            "The URL is not https, so that anybody on the way could change the file.", hint=_PLAIN_HINT
        )


def written_url(text: str) -> URL:
    """The URL, normalized but for a path and query that are percent-encoded already: signatures may cover their form.

    Raises:
        ValueError: the text is not a URL.
    """
    parsed = URL(text)
    if "%" not in text or not text.isascii():
        return parsed
    exact = URL(text, encoded=True)
    return URL.build(
        scheme=parsed.scheme,
        authority=parsed.raw_authority,
        path=exact.raw_path,
        query_string=exact.raw_query_string,
        encoded=True,
    )


def _parse(url: str) -> URL:
    if _UNWRITABLE.search(url):
        raise InvalidRequest(
            "The URL contains a space, a backslash or a control character.", hint="Percent-encode it, as in %20."
        )
    try:
        parsed = URL(url)
    except ValueError:
        raise InvalidRequest("The URL is malformed.", hint=_FORM_HINT) from None
    if parsed.scheme not in ("http", "https"):
        raise InvalidRequest("The URL does not begin with http:// or https://.", hint=_FORM_HINT)
    if "@" in parsed.raw_authority:
        raise InvalidRequest("The URL contains a user name or password.", hint="Give a URL that opens without them.")
    host = (parsed.raw_host or "").removesuffix(".")
    if not _is_host(host) or not parsed.port or not _is_readable(parsed):
        raise InvalidRequest("The URL does not name a valid host and port.", hint=_FORM_HINT)
    return parsed


_FORM_HINT = "Give a URL of the form https://host/path."


def _is_readable(url: URL) -> bool:
    """Whether a host that is written in Punycode stands for a name, which messages may have to give."""
    try:
        return url.host is not None
    except UnicodeError:
        return False


def _is_host(host: str) -> bool:
    if ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]):
        return _literal(host) is not None
    return len(host) <= _LONGEST_NAME and _NAME.fullmatch(host) is not None


def _literal(host: str) -> str | None:
    """The address that a host is written as; also the decimal, octal, hexadecimal and short forms of resolvers."""
    try:
        if ":" in host:
            return str(ip_address(host)) if "%" not in host else None
        return socket.inet_ntoa(socket.inet_aton(host))
    except (ValueError, OSError):
        return None


def _is_public_4(address: IPv4Address) -> bool:
    return address.is_global and not address.is_multicast and not any(address in network for network in _NOT_PUBLIC_4)


def _is_public_6(address: IPv6Address) -> bool:
    if address not in _GLOBAL_UNICAST or not address.is_global:
        return False
    return not any(address in network for network in _NOT_PUBLIC_6)
