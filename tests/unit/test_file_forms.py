"""Forms with a file, however they are cut into pieces and whatever they hold."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.multipart import FileForm, boundary_of
from genesis.errors import InvalidRequest

BOUNDARY = b"----WebKitFormBoundaryAbC"
KNOWN = frozenset(("name", "expires_in"))


def part(name, content, more=b""):
    return b'--%b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n' % (BOUNDARY, name, more, content)


def form_of(*parts, end=b"--\r\n"):
    return b"".join(parts) + b"--" + BOUNDARY + end


def read(pieces, known=KNOWN):
    """The file, the fields and the file's name."""

    async def body():
        for piece in pieces:
            yield piece

    async def collected():
        form = FileForm(BOUNDARY, known)
        return b"".join([piece async for piece in form.file(body())]), form

    return asyncio.run(collected())


def cut(data, places):
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


# Contents that look like boundaries are what a parser gets wrong.
CONTENTS = st.one_of(
    st.binary(max_size=300),
    st.lists(
        st.sampled_from([b"\r", b"\n", b"\r\n", b"-", b"--", b"\r\n--", BOUNDARY[:9], BOUNDARY[:-1], b"x", b"\0"]),
        max_size=30,
    ).map(b"".join),
).filter(lambda content: b"\r\n--" + BOUNDARY not in b"\r\n" + content)


@settings(max_examples=300, deadline=None)
@given(CONTENTS, st.lists(st.integers(0, 10_000), max_size=12), st.booleans())
def test_any_cut_gives_the_same_file(content, places, fields_first):
    field = part(b"name", "Größe".encode())
    file = part(b"file", content, b'; filename="a.png"\r\nContent-Type: image/png')
    data = form_of(*((field, file) if fields_first else (file, field)))
    found, form = read(cut(data, places))
    assert found == content
    assert form.fields == {"name": "Größe"}
    assert form.file_name == "a.png"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.lists(st.integers(0, 1_000), max_size=5), st.booleans())
def test_any_bytes_give_a_file_or_a_problem(data, places, begun):
    if begun:
        data = part(b"file", b"x")[:-2] + data
    try:
        found, form = read(cut(data, places))
    except InvalidRequest:
        return
    assert len(found) <= len(data)
    assert set(form.fields) <= KNOWN


def test_one_byte_at_a_time():
    content = b"\r\n--" + BOUNDARY[:-1] + b"\r\n\r\n--"
    data = form_of(part(b"file", content))
    assert read([data[place : place + 1] for place in range(len(data))])[0] == content


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "last boundary"),
        (b"hello", "cannot be read"),
        (form_of(part(b"file", b"x"))[:-6], "last boundary"),
        (form_of(part(b"name", b"x")), "no part `file`"),
        (form_of(end=b"--\r\n"), "no part `file`"),
        (form_of(part(b"file", b"x"), part(b"file", b"y")), "more than one file"),
        (form_of(part(b"colour", b"x"), part(b"file", b"y")), "colour"),
        (form_of(part(b"name", b"x"), part(b"name", b"y"), part(b"file", b"z")), "twice"),
        (form_of(part(b"name", b"x" * 5_000), part(b"file", b"z")), "4,096"),
        (form_of(part(b"file", b"x", b'; filename="' + b"a" * 5_000 + b'"')), "cannot be read"),
        (form_of(part(b"file", b"x", b"\r\na: b" * 10)), "cannot be read"),
        (form_of(part(b"file", b"x", b"\r\nContent-Transfer-Encoding: base64")), "Content-Transfer-Encoding"),
        (form_of(b"--" + BOUNDARY + b"\r\nContent-Disposition: form-data\r\n\r\nx\r\n"), "no name"),
        (form_of(b"--" + BOUNDARY + b'\r\nContent-Disposition: attachment; name="file"\r\n\r\nx\r\n'), "no name"),
        (form_of(b"--" + BOUNDARY + b"\r\n\r\nx\r\n"), "no name"),
        (form_of(*(part(b"x%d" % number, b"") for number in range(20))), "x0"),
    ],
)
def test_what_is_wrong_with_a_form_is_told(data, says):
    with pytest.raises(InvalidRequest) as caught:
        read([data])
    assert says in caught.value.message


def test_what_follows_the_last_boundary_means_nothing():
    found, form = read([form_of(part(b"file", b"x")), part(b"name", b"late"), b"\0" * 100])
    assert (found, form.fields) == (b"x", {})


@pytest.mark.parametrize(
    ("field", "name"),
    [
        (b'; filename="a%22b.png"', 'a"b.png'),
        ('; filename="größe.png"'.encode(), "größe.png"),
        (b"; filename=plain.png", "plain.png"),
        (b"", ""),
        (b'; filename="\xff.png"', "�.png"),
    ],
)
def test_names_of_files(field, name):
    assert read([form_of(part(b"file", b"x", field))])[1].file_name == name


@pytest.mark.parametrize(
    ("field", "boundary"),
    [
        ("multipart/form-data; boundary=abc", b"abc"),
        ('Multipart/Form-Data; charset=utf-8; boundary="a b"', b"a b"),
        ("image/png", None),
        ("", None),
        ("multipart/mixed; boundary=abc", None),
        ("application/x-www-form-urlencoded", None),
    ],
)
def test_boundaries(field, boundary):
    assert boundary_of(field) == boundary


@pytest.mark.parametrize(
    "field",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        f"multipart/form-data; boundary={'a' * 71}",
        'multipart/form-data; boundary=""',
    ],
)
def test_bad_boundaries(field):
    with pytest.raises(InvalidRequest, match="boundary"):
        boundary_of(field)
