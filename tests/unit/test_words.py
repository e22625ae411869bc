"""Words of a peer in our messages."""

import json

import pytest

from genesis.net.words import presentable


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Not found.", "Not found."),
        ("two\r\n  lines\t", "two lines"),
        ("a\0b\x1b[31mc\x7f", "ab [31mc"),
        ("bytes \udcff here", "bytes ? here"),
        ("right to left \u202e", "right to left"),
        ("Grüße 漢字 🎉", "Grüße 漢字 🎉"),
        ("", ""),
    ],
)
def test_it_is_printable(said, shown):
    assert presentable(said) == shown
    assert presentable(said).isprintable()
    json.dumps(presentable(said), ensure_ascii=False).encode()


def test_it_is_short():
    assert len(presentable("word " * 1_000_000)) <= 300
    assert len(presentable("a" * 1_000_000, longest=10)) == 10
