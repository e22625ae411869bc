import json

from hypothesis import given
from hypothesis import strategies as st

from genesis.domain.storable import storable, storable_text

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(st.characters(codec=None)),
    lambda part: st.lists(part) | st.dictionaries(st.text(st.characters(codec=None)), part),
)


@given(ANYTHING)
def test_whatever_comes_can_be_stored(value):
    text = json.dumps(storable(value), allow_nan=False, ensure_ascii=False)
    text.encode()
    assert "\\u0000" not in text.replace("\\\\", "")


def test_good_values_stay_as_they_are():
    value = {"a": [1, 2.5, None, True, "grüße 🎨"], "b": {"c": ""}}
    assert storable(value) == value


def test_long_text_is_cut_visibly():
    assert storable_text("abcdef", longest=4) == "abc…"
