"""The forms of OpenAI's wire format, which carry what a caller has written."""

import pytest

from genesis.errors import ProviderRejected
from genesis.providers.openai_format import form_fields


def test_what_a_form_carries():
    body = {"a": "\ud800é", "b": True, "c": None, "d": {"e": [1, "x"]}, "f": 0.5}
    assert form_fields(body) == {"a": "?é", "b": "true", "d[e][]": ("1", "x"), "f": "0.5"}


@pytest.mark.parametrize("name", ["", "a\r\nb", 'a"b', "é", "\ud800"])
def test_names_that_a_form_cannot_carry(name):
    for body in ({name: "x"}, {"a": {name: "x"}} if name else {"": 1}):
        with pytest.raises(ProviderRejected, match="cannot carry") as raised:
            form_fields(body)
        raised.value.message.encode()
        assert "provider_options" in raised.value.hint
