"""Names of models, styles and voices; finding and checking what is installed."""

import sys
from pathlib import Path

import pytest

from genesis.capabilities.catalog import CAPABILITIES
from genesis.providers.local import models
from genesis.providers.local.models import LOCAL_MODELS, PACKAGES, STYLE_ALIASES, STYLES, installed, style_index
from genesis.providers.local.server.errors import RequestError
from genesis.providers.local.server.image import parse_size
from genesis.providers.local.server.image_transform import choose_style
from genesis.providers.local.server.transcription import check_language
from genesis.providers.local.server.weights import WrongWeights, verified


def test_every_capability_has_a_model_and_packages() -> None:
    assert set(LOCAL_MODELS) == set(PACKAGES) == set(CAPABILITIES)


@pytest.mark.parametrize("capability", list(LOCAL_MODELS))
def test_a_missing_package_is_noticed_without_importing_any(capability: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(sys.modules)
    assert installed(capability)
    assert not (set(sys.modules) - before) & set(PACKAGES[capability])
    monkeypatch.setattr(models, "PACKAGES", {capability: ("genesis_no_such_package",)})
    assert not installed(capability)


def test_there_are_26_styles_of_different_names_and_aliases_lead_to_them() -> None:
    assert len(STYLES) == len(set(STYLES)) == 26
    assert set(STYLE_ALIASES.values()) <= set(STYLES)
    assert not set(STYLE_ALIASES) & set(STYLES)


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("van gogh", 19),
        ("Van_Gogh style", 19),
        ("watercolor", 12),
        (" Oil  Painting ", 5),
        ("engraving", 11),
        ("x", None),
    ],
)
def test_styles_are_found_by_name_or_alias(name: str, index: int | None) -> None:
    assert style_index(name) == index


@pytest.mark.parametrize(
    ("style", "prompt", "index"),
    [
        (None, None, 19),
        ("", " ", 19),
        ("mosaic", "as a watercolor", 9),
        (None, "Make it an oil painting, please", 5),
        (None, "like Van Gogh", 19),
    ],
)
def test_the_style_decides_then_the_prompt_then_the_default(style: str | None, prompt: str | None, index: int) -> None:
    assert choose_style(style, prompt) == index


@pytest.mark.parametrize(("style", "prompt"), [("bauhaus", None), (None, "turn the day into night-time")])
def test_an_unknown_style_is_refused_with_the_names_of_all(style: str | None, prompt: str | None) -> None:
    with pytest.raises(RequestError, match=r"sand and sky.*tapestry") as caught:
        choose_style(style, prompt)
    assert caught.value.code == "unknown_style"


def test_sizes() -> None:
    assert parse_size("640x480") == (640, 480)
    for wrong in ("640", "640x", "0x1x2", "640X480", "-1x5", "٣x٣", "1e3x5", " 1x1"):
        with pytest.raises(RequestError, match="1024x768"):
            parse_size(wrong)


@pytest.mark.parametrize("language", ["en", "en-US", "EN_gb", "english"])
def test_english_is_known_in_all_spellings(language: str) -> None:
    check_language(language)


@pytest.mark.parametrize("language", ["de", "", "enm"])
def test_other_languages_are_refused(language: str) -> None:
    with pytest.raises(RequestError, match="English only"):
        check_language(language)


def test_weights_are_the_pinned_ones_or_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "genesis_weights"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "model.bin").write_bytes(b"right")
    monkeypatch.syspath_prepend(tmp_path)
    right = "5467aea9bcb4abb7f03af8b07a5e15be86e95dfffb0a3e8faa604d90c2a69f59"
    with pytest.raises(WrongWeights, match=r"SHA-256.*Reinstall"):
        verified(models.WeightFile("genesis_weights", "model.bin", "0" * 64))
    with pytest.raises(WrongWeights, match="missing"):
        verified(models.WeightFile("genesis_weights", "other.bin", right))
    with pytest.raises(WrongWeights, match="missing"):
        verified(models.WeightFile("genesis_no_such_package", "model.bin", right))
