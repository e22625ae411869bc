"""Signed links: nobody makes or changes one without the key."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis.errors import Forbidden
from genesis.files.signing import check_signed, signature, signed

KEY = b"k" * 32
PATH = "/storage/images/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55.png"
EXPIRES = 2_000


def check(**changes):
    given = {
        "key": KEY,
        "method": "GET",
        "path": PATH,
        "expires": str(EXPIRES),
        "given": signature(KEY, "GET", PATH, EXPIRES),
    }
    check_signed(**(given | {"now": 1_999_999} | changes))


def test_a_link_is_good_until_its_time_is_over():
    check()
    with pytest.raises(Forbidden, match="over"):
        check(now=2_000_000)


@pytest.mark.parametrize(
    "change",
    [
        {"key": b"other" * 8},
        {"method": "PUT"},
        {"path": PATH.replace("c55", "c56")},
        {"path": PATH + "?expires_in=5"},
        {"expires": "2001"},
        {"expires": "02000"[1:] + "0"},
        {"expires": ""},
        {"expires": "-1"},
        {"expires": "٢٠٠٠"},
        {"expires": "2000.0"},
        {"expires": "9" * 400},
        {"given": ""},
        {"given": "é" * 43},
        {"given": "\ud800"},
        {"given": signature(KEY, "GET", PATH, EXPIRES) + "="},
    ],
)
def test_whatever_is_changed_is_noticed(change):
    with pytest.raises(Forbidden, match="wrong") as caught:
        check(**change)
    assert caught.value.hint


@given(st.text(), st.text(), st.text())
def test_any_text_is_refused(path, expires, given):
    with pytest.raises(Forbidden):
        check(path=path, expires=expires, given=given)


@pytest.mark.parametrize("path", [PATH, PATH + "?expires_in=60"])
def test_a_link_holds_all_that_its_check_asks_for(path):
    link = signed(KEY, "PUT", path, EXPIRES)
    query = parse_qs(urlsplit(link).query)
    assert link.startswith(path)
    check(method="PUT", path=path, expires=query["expires"][0], given=query["signature"][0])


def test_no_two_links_are_signed_alike():
    """What stands in one field cannot pass for what stands in another."""
    assert signature(KEY, "GET", "/a", 12) != signature(KEY, "GET", "/a\n1", 2)
