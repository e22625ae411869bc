"""Which addresses count as public, and which URLs are refused before anything is looked up."""

import pytest

from genesis.errors import InvalidRequest
from genesis.net.addresses import check_public_url, is_allowed, is_public, written_url

PUBLIC = [
    "8.8.8.8",
    "93.184.216.34",
    "1.1.1.1",
    "2606:4700:4700::1111",
    "2a00:1450:4001:810::200e",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]
NOT_PUBLIC = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.8",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",
    "2001:0:808:808::f7f7:f7f7",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700:4700::1111%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "not an address",
    "",
    "2130706433",
    "127.1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com/a/b.png?signature=%2B%2F&x=1#part",
        "https://example.com:8443/x",
        "HTTPS://EXAMPLE.COM/x",
        "https://example.com./x",
        "https://my_bucket.s3.example.com/x",
        "https://bücher.example/ä.png",
        "https://8.8.8.8/x",
        "https://[2606:4700:4700::1111]:8080/x",
        "https://[::ffff:8.8.8.8]/x",
        "https://example.com/@user",
        "https://localhost.example.com/",
    ],
)
def test_urls_that_may_be_visited(url: str) -> None:
    check_public_url(url, ())


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "http://"),
        ("example.com/x.png", "http://"),
        ("//example.com/x.png", "http://"),
        ("/storage/images/a.png", "http://"),
        ("file:///etc/passwd", "http://"),
        ("ftp://example.com/x", "http://"),
        ("gopher://example.com/x", "http://"),
        ("data:image/png;base64,AAAA", "http://"),
        ("javascript:alert(1)", "http://"),
        ("http:example.com", "host"),
        ("http:///x", "host"),
        ("http://:80/x", "malformed"),
        ("http://[::1/x", "malformed"),
        ("http://example.com:99999/x", "malformed"),
        ("http://example.com:0/x", "host"),
        ("http://a..b/x", "host"),
        ("http://xn--/x", "host"),
        ("http://xn--a/x", "host"),
        (f"http://{'a' * 64}.com/x", "host"),
        (f"http://{'a.' * 130}com/x", "host"),
        ("http://%31%32%37.0.0.1/x", "host"),
        ("http://h%00.example/x", "host"),
        ("http://1.2.3.4.5/x", "host"),
        ("http://127.0.0.256/x", "host"),
        ("http://example.0x7f/x", "host"),
        ("http://[fe80::1%25eth0]/x", "valid host"),
        ("http://[fe80::1%eth0]/x", "valid host"),
        ("http://example.com/a b", "Percent-encode"),
        ("http://example.com/a\nb", "Percent-encode"),
        ("http://example.com/a\x00b", "Percent-encode"),
        (" http://example.com/", "Percent-encode"),
        ("http://example.com\\@127.0.0.1/", "Percent-encode"),
        ("http://user:password@example.com/", "user name"),
        ("http://user@example.com/", "user name"),
        ("http://example.com@127.0.0.1/", "user name"),
        ("http://localhost/x", "public internet"),
        ("http://LocalHost./x", "public internet"),
        ("http://api.localhost:8000/x", "public internet"),
        ("http://printer.local/x", "public internet"),
        ("http://metadata.google.internal/x", "public internet"),
        ("http://127.0.0.1:8000/x", "public internet"),
        ("http://127.0.0.1./x", "public internet"),
        ("http://169.254.169.254/latest/meta-data/", "public internet"),
        ("http://2130706433/x", "public internet"),
        ("http://0x7f000001/x", "public internet"),
        ("http://017700000001/x", "public internet"),
        ("http://0x7f.1/x", "public internet"),
        ("http://127.1/x", "public internet"),
        ("http://0/x", "public internet"),
        ("http://①②⑦.⓪.⓪.①/x", "public internet"),
        ("http://127。0。0。1/x", "public internet"),
        ("http://[::1]/x", "public internet"),
        ("http://[::]/x", "public internet"),
        ("http://[::ffff:127.0.0.1]/x", "public internet"),
        ("http://[::ffff:7f00:1]/x", "public internet"),
        ("http://[64:ff9b::a9fe:a9fe]/x", "public internet"),
        ("http://[2002:7f00:1::]/x", "public internet"),
        ("http://134744072/x", "Write 8.8.8.8"),
        ("http://8.8.8.8./x", "Write 8.8.8.8"),
    ],
)
def test_urls_that_are_refused(url: str, says: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_public_url(url, ())
    assert says in f"{refused.value.message} {refused.value.hint}"


@pytest.mark.parametrize(
    "url", ["http://example.com/x", "HTTP://example.com/x", "http://8.8.8.8/x", "http://a.test:443/"]
)
def test_plain_http_is_for_hosts_that_the_operator_names(url: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_public_url(url, ("other.test",))
    assert "not https" in refused.value.message
    assert "FETCH_PLAIN_HTTP" in refused.value.hint
    assert "FETCH_ALLOWED_HOSTS" in refused.value.hint
    check_public_url(url, (), plain_http=True)
    check_public_url(url, ("example.com", "8.8.8.8", "a.test:443"))


def test_passwords_are_not_repeated() -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_public_url("http://user:hunter2@example.com/", ())
    assert "hunter2" not in refused.value.message + refused.value.hint


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://localhost/x", "localhost"),
        ("http://localhost:9000/x", "localhost"),
        ("http://LOCALHOST:9000/x", "localhost:9000"),
        ("https://localhost/x", "localhost:443"),
        ("http://10.0.0.7/x", "10.0.0.7"),
        ("http://[::1]:9000/x", "[::1]:9000"),
        ("http://[::1]:9000/x", "[::1]"),
    ],
)
def test_allowed_hosts_may_be_private(url: str, allowed: str) -> None:
    check_public_url(url, (allowed,))


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://localhost:9001/x", "localhost:9000"),
        ("http://localhost/x", "localhost:443"),
        ("http://x.localhost/x", "localhost"),
        ("http://127.0.0.1/x", "localhost"),
        ("http://[::1]:9001/x", "[::1]:9000"),
    ],
)
def test_an_allowed_host_allows_no_other(url: str, allowed: str) -> None:
    with pytest.raises(InvalidRequest):
        check_public_url(url, (allowed,))


def test_an_allowed_host_must_still_be_asked_properly() -> None:
    for url in ("ftp://localhost/x", "http://user@localhost/x", "http://localhost/a b"):
        with pytest.raises(InvalidRequest):
            check_public_url(url, ("localhost",))


def test_is_allowed_compares_whole_names() -> None:
    assert is_allowed("files.lan", 80, {"files.lan"})
    assert is_allowed("files.lan.", 80, {"files.lan:80"})
    assert not is_allowed("evil-files.lan", 80, {"files.lan"})
    assert not is_allowed("files.lan.evil.com", 80, {"files.lan"})


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("https://Example.com/a%2fb?x=%2F&y=%7e", "https://example.com/a%2fb?x=%2F&y=%7e"),
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
        ("https://example.com/{a}", "https://example.com/%7Ba%7D"),
        ("http://[::1]:80/%41?b", "http://[::1]/%41?b"),
    ],
)
def test_what_is_encoded_already_is_sent_as_it_is(text: str, sent: str) -> None:
    assert str(written_url(text)) == sent
