"""What the illustrator paints."""

import hashlib
from typing import TypedDict

import numpy as np
import pytest
from PIL import Image

from genesis.providers.local.server.illustrator import illustrate, read_scene
from genesis.providers.local.server.illustrator.finish import FINISHES
from genesis.providers.local.server.illustrator.label import caption_box
from genesis.providers.local.server.illustrator.palette import MOODS
from genesis.providers.local.server.illustrator.placing import PLANES
from genesis.providers.local.server.illustrator.subjects import FIGURES
from genesis.providers.local.server.illustrator.vocabulary import LEXICON


class Size(TypedDict):
    """Keyword arguments of a picture's size."""

    width: int
    height: int


SMALL: Size = {"width": 256, "height": 256}


def digest(picture: Image.Image) -> str:
    return hashlib.sha256(picture.tobytes()).hexdigest()


def difference(first: Image.Image, second: Image.Image) -> float:
    """Mean absolute difference of two pictures of one size, 0..255."""
    return float(np.abs(np.asarray(first, np.float32) - np.asarray(second, np.float32)).mean())


def share_of(picture: Image.Image, hue: int, reach: int = 14) -> float:
    """Share of saturated pixels whose hue (0..255) is within `reach` of the given one."""
    values = np.asarray(picture.convert("HSV"), np.int32)
    distance = np.abs((values[..., 0] - hue + 128) % 256 - 128)
    return float(((distance <= reach) & (values[..., 1] > 110) & (values[..., 2] > 70)).mean())


@pytest.mark.parametrize("style", ["flat", *FINISHES])
def test_the_same_request_gives_the_same_bytes(style: str) -> None:
    first = illustrate("a cat by a lake at night", **SMALL, seed=7, style=style)
    second = illustrate("a cat by a lake at night", **SMALL, seed=7, style=style)
    assert digest(first) == digest(second)
    assert (first.mode, first.size) == ("RGB", (256, 256))


def test_seeds_and_prompts_change_the_picture() -> None:
    base = illustrate("a cat by a lake", **SMALL)
    assert digest(base) == digest(illustrate("a cat by a lake", **SMALL))
    assert difference(base, illustrate("a cat by a lake", **SMALL, seed=1)) > 4
    assert difference(base, illustrate("a dog by a lake", **SMALL)) > 4
    assert difference(illustrate("a cat", **SMALL, seed=1), illustrate("a cat", **SMALL, seed=2)) > 4


@pytest.mark.parametrize("size", [(256, 256), (256, 768), (768, 256), (301, 517), (640, 257)])
def test_sizes_are_exact(size: tuple[int, int]) -> None:
    assert illustrate("a lighthouse by the sea", width=size[0], height=size[1]).size == size


@pytest.mark.parametrize("size", [(255, 512), (512, 2049), (256, 769), (1600, 512), (0, 0)])
def test_sizes_out_of_range_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="must be from"):
        illustrate("a cat", width=size[0], height=size[1])


@pytest.mark.parametrize("kind", sorted(FIGURES))
def test_every_figure_is_visible(kind: str) -> None:
    prompt = "five birds" if kind == "bird flying" else f"a {kind} on a white background"
    removed = "birds" if kind == "bird flying" else kind
    assert read_scene(prompt).subjects
    with_it = illustrate(prompt, **SMALL, seed=3, quality="low")
    without_it = illustrate(prompt, **SMALL, seed=3, quality="low", negative_prompt=removed)
    changed = np.abs(np.asarray(with_it, np.float32) - np.asarray(without_it, np.float32)).max(axis=2) > 24
    assert changed.mean() > 0.015


@pytest.mark.parametrize("style", ["flat", *FINISHES])
def test_every_ground_renders_in_every_style(style: str) -> None:
    for number, plane in enumerate(PLANES):
        time = sorted(MOODS)[number % len(MOODS)]
        word = next(word for word, term in LEXICON.items() if term.role == "ground" and term.name == plane)
        mood = next(word for word, term in LEXICON.items() if term.role == "time" and term.name == time)
        picture = illustrate(f"a {word}, {mood}, with a cat", **SMALL, style=style, quality="low")
        assert np.asarray(picture, np.float32).std() > 6, (plane, time)


@pytest.mark.parametrize("feature", sorted({term.name for term in LEXICON.values() if term.role == "feature"}))
def test_every_feature_changes_the_picture(feature: str) -> None:
    prompt = f"mountains at dawn, {feature}"
    with_it = illustrate(prompt, **SMALL, seed=5, quality="low")
    without_it = illustrate(prompt, **SMALL, seed=5, quality="low", negative_prompt=feature)
    changed = np.abs(np.asarray(with_it, np.float32) - np.asarray(without_it, np.float32)).max(axis=2) > 16
    assert changed.mean() > 0.001


@pytest.mark.parametrize("season", ["winter", "autumn", "spring"])
def test_seasons_change_the_picture(season: str) -> None:
    prompt = f"a meadow with trees, {season}"
    assert difference(illustrate(prompt, **SMALL), illustrate(prompt, **SMALL, negative_prompt=season)) > 2


@pytest.mark.parametrize("style", sorted(FINISHES))
def test_every_style_looks_different_from_the_flat_one(style: str) -> None:
    flat = illustrate("a red house", **SMALL, seed=2)
    assert difference(flat, illustrate("a red house", **SMALL, seed=2, style=style)) > 2.5


@pytest.mark.parametrize(("color", "hue"), [("red", 2), ("blue", 156), ("green", 91), ("purple", 190), ("orange", 20)])
@pytest.mark.parametrize("noun", ["car", "umbrella", "butterfly"])
def test_a_named_color_is_what_the_picture_shows(color: str, hue: int, noun: str) -> None:
    backdrop = "white background"
    wanted = illustrate(f"a {color} {noun}, {backdrop}", **SMALL, seed=1)
    other = illustrate(f"a white {noun}, {backdrop}", **SMALL, seed=1)
    assert share_of(wanted, hue) > share_of(other, hue) + 0.02


def test_more_of_a_kind_are_more_separate_shapes() -> None:
    def runs(prompt: str) -> int:
        """Separate red stretches along the picture's columns."""
        values = np.asarray(illustrate(prompt, width=768, height=256, seed=1).convert("HSV"), np.int32)
        red = ((values[..., 0] < 10) | (values[..., 0] > 245)) & (values[..., 1] > 150)
        columns = red.sum(axis=0) > 8
        return int((np.diff(columns.astype(int), prepend=0) == 1).sum())

    assert runs("a red heart, white background") == 1
    assert runs("three red hearts, white background") == 3


def test_the_caption_is_readable_in_its_corner() -> None:
    for width, height in ((256, 256), (256, 768), (1024, 512)):
        left, top, right, bottom = caption_box(width, height)
        assert 0 < left < right <= width
        assert 0 < top < bottom <= height
        for style in ("flat", "pencil"):
            picture = illustrate("snowfield", width=width, height=height, style=style, quality="low")
            area = np.asarray(picture.convert("L").crop((left, top, right, bottom)), np.float32)
            assert area.max() - np.median(area) > 60


def test_a_negative_prompt_takes_the_subject_away() -> None:
    with_it = illustrate("a red car in the snow", **SMALL, seed=1)
    without_it = illustrate("a red car in the snow", **SMALL, seed=1, negative_prompt="car")
    assert share_of(with_it, 2) > 0.03
    assert share_of(without_it, 2) < 0.005


@pytest.mark.parametrize(
    "prompt",
    ["", "   ", "🐱🚀🌊", "!!!???", "猫が船に乗る", "кот на лодке", "a cat " * 700, "nine cats nine dogs nine birds " * 3,
     "\0\n\t\ud800", "a cat on a boat on a cat on a boat", "a tree under a tree under a tree"],
)  # fmt: skip
def test_odd_prompts_still_give_a_picture(prompt: str) -> None:
    assert illustrate(
        prompt, **SMALL, quality="low", negative_prompt=prompt[:40] if "cat" not in prompt else None
    ).size == (256, 256)
