"""Images that are drawn, and images that are given another style."""

import base64
import io
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image

pytestmark = pytest.mark.asyncio(loop_scope="module")
GENERATIONS = "/v1/images/generations"
EDITS = "/v1/images/edits"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def image(caller_for: Callable[[str], Any]) -> AsyncIterator[Any]:
    async with caller_for("image") as caller:
        yield caller


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def transform(caller_for: Callable[[str], Any]) -> AsyncIterator[Any]:
    async with caller_for("image_transform") as caller:
        yield caller


def picture_of(document: dict[str, Any]) -> Image.Image:
    picture = Image.open(io.BytesIO(base64.b64decode(document["data"][0]["b64_json"])))
    picture.load()
    assert (picture.format, picture.mode) == ("PNG", "RGB")
    return picture


def png_of(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def scene(width: int, height: int) -> Image.Image:
    """A colored disc on a slope of color."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([255 * x / width, 255 * y / height, np.full_like(x, 120, dtype=float)], axis=-1)
    pixels[np.hypot(x - width / 2, y - height / 2) < min(width, height) / 4] = (230, 60, 40)
    return Image.fromarray(pixels.astype(np.uint8))


def difference(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, float) - np.asarray(other, float)).mean())


async def test_an_image_has_the_size_that_was_asked_for_and_says_how_it_was_made(image: Any) -> None:
    request = {"model": "x", "prompt": "a “red” boat on the sea", "size": "512x320", "seed": 4, "quality": "draft"}
    status, document, _ = await image.call(GENERATIONS, json=request)
    assert status == 200, document
    picture = picture_of(document)
    assert picture.size == (512, 320)
    assert picture.info["Software"] == "Genesis"
    assert "rocedural" in picture.info["Description"]
    assert picture.info["Comment"] == request["prompt"]
    assert "boat" in document["recognized"]
    assert np.asarray(picture).std() > 10
    again = picture_of((await image.call(GENERATIONS, json=request))[1])
    assert difference(picture, again) == 0
    other = picture_of((await image.call(GENERATIONS, json={**request, "seed": 5}))[1])
    assert difference(picture, other) > 1


async def test_bad_image_requests_are_refused(image: Any) -> None:
    for more, param in (
        ({"size": "big"}, "size"),
        ({"size": "10x10"}, "size"),
        ({"size": "99999x99999"}, "size"),
        ({"prompt": " "}, "prompt"),
        ({"n": 2}, "n"),
        ({"quality": "ultra"}, "quality"),
    ):
        assert (await image.refused(GENERATIONS, json={"prompt": "a cat", **more}))["param"] == param
    await image.refused(GENERATIONS, data=b"{")


async def test_a_style_changes_the_image_and_keeps_its_size(transform: Any) -> None:
    original = scene(301, 202)
    form = {"image": png_of(original), "style": "van gogh", "model": "x"}
    document = (await transform.call(EDITS, form=form))[1]
    styled = picture_of(document)
    assert styled.size == (301, 202)
    assert document["recognized"] == ["starry night"]
    assert difference(original, styled) > 20
    weak = picture_of((await transform.call(EDITS, form={**form, "strength": "0.2"}))[1])
    assert 1 < difference(original, weak) < difference(original, styled) / 2
    assert difference(original, picture_of((await transform.call(EDITS, form={**form, "strength": "0"}))[1])) == 0
    other = picture_of((await transform.call(EDITS, form={**form, "style": "Watercolor"}))[1])
    assert difference(styled, other) > 10


async def test_a_large_image_comes_back_smaller_with_its_aspect(transform: Any) -> None:
    document = (await transform.call(EDITS, form={"image": png_of(scene(2400, 300)), "style": "mosaic"}))[1]
    assert picture_of(document).size == (1536, 192)


async def test_bad_transform_requests_are_refused(transform: Any) -> None:
    image = png_of(scene(64, 64))
    for form, code in (
        ({"image": image, "style": "bauhaus"}, "unknown_style"),
        ({"image": image, "prompt": "turn day into night-time"}, "unknown_style"),
        ({"image": image, "strength": "2"}, "invalid_value"),
        ({"image": b"no image"}, "invalid_image"),
        ({"image": png_of(Image.new("1", (9000, 9000)))}, "image_too_large"),
        ({"image": png_of(scene(20, 64))}, "image_too_small"),
        ({"style": "mosaic"}, "missing_required_parameter"),
    ):
        assert (await transform.refused(EDITS, form=form))["code"] == code
    assert "watercolor" in (await transform.refused(EDITS, form={"image": image, "style": "bauhaus"}))["message"]
