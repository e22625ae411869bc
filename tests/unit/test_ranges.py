"""Ranges and conditions of requests, as RFC 9110 has them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ranges import Part, Refusal, http_date, part_of, wanted

STORED = 1_700_000_000_250
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("bytes=0-0", Part(0, 1)),
        ("bytes=0-", Part(0, 100)),
        ("bytes=10-19", Part(10, 20)),
        ("bytes=99-99", Part(99, 100)),
        ("bytes=90-1000", Part(90, 100)),
        ("bytes=-1", Part(99, 100)),
        ("bytes=-100", Part(0, 100)),
        ("bytes=-1000", Part(0, 100)),
        ("Bytes = 5 - 6 ", Part(5, 7)),
        ("bytes=100-", Refusal.UNSATISFIABLE),
        ("bytes=100-200", Refusal.UNSATISFIABLE),
        ("bytes=-0", Refusal.UNSATISFIABLE),
        ("bytes=0-1,5-6", None),
        ("bytes=6-5", None),
        ("bytes=-", None),
        ("bytes=", None),
        ("bytes=a-b", None),
        ("bytes=--5", None),
        ("bytes=+1-5", None),
        ("bytes=٣-٤", None),
        ("items=0-5", None),
        ("", None),
        ("bytes=0-" + "9" * 30, None),
    ],
)
def test_ranges(field, found):
    assert part_of(field, 100) == found


@given(st.one_of(st.text(), st.from_regex(r"bytes=\d{0,4}-\d{0,4}", fullmatch=True)), st.integers(0, 2_000))
def test_whatever_is_asked_for_lies_within_the_content(field, size):
    found = part_of(field, size)
    if isinstance(found, Part):
        assert 0 <= found.start < found.end <= size
        assert found.content_range(size) == f"bytes {found.start}-{found.end - 1}/{size}"


def asked(*, get=True, **headers):
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return wanted(fields, get=get, size=100, etag="abc", modified_at=STORED)


@pytest.mark.parametrize("tags", ['"abc"', 'W/"abc"', "*", '"x", "abc"', '"x" ,W/"abc"', ' "abc" '])
def test_who_has_it_is_told_so(tags):
    assert asked(if_none_match=tags) is Refusal.NOT_MODIFIED
    assert asked(if_none_match=tags, range="bytes=0-1", get=False) is Refusal.NOT_MODIFIED


@pytest.mark.parametrize("tags", ['"abcd"', "abc", '""', '"*"', "", '"ABC"'])
def test_who_has_another_gets_it(tags):
    assert asked(if_none_match=tags) is None
    assert asked(if_none_match=tags, if_modified_since=DATE) is None  # the tag counts, not the date


@pytest.mark.parametrize(
    ("since", "found"),
    [
        (DATE, Refusal.NOT_MODIFIED),
        ("Wed, 15 Nov 2023 00:00:00 GMT", Refusal.NOT_MODIFIED),
        ("Tue, 14 Nov 2023 22:13:19 GMT", None),
        ("yesterday", None),
        ("", None),
        ("Tue, 14 Nov 99999 22:13:19 GMT", None),
    ],
)
def test_dates(since, found):
    assert asked(if_modified_since=since) is found


@pytest.mark.parametrize(
    ("condition", "part"),
    [
        ('"abc"', Part(0, 2)),
        (DATE, Part(0, 2)),
        ('W/"abc"', None),
        ('"other"', None),
        ("Tue, 14 Nov 2023 22:13:21 GMT", None),
        ("nonsense", None),
    ],
)
def test_a_part_goes_with_what_the_client_has(condition, part):
    assert asked(range="bytes=0-1", if_range=condition) == part


def test_only_get_has_ranges():
    assert asked(range="bytes=0-1", get=False) is None
    assert asked(range="bytes=900-", get=False) is None


def test_dates_are_written_in_whole_seconds():
    assert http_date(STORED) == DATE
