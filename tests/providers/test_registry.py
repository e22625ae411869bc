"""The chain of providers under different settings."""

import pytest
from pydantic import SecretStr

from genesis.capabilities.catalog import CAPABILITIES
from genesis.providers.local import adapter as local
from genesis.providers.registry import providers
from genesis.settings import Settings


@pytest.fixture(autouse=True)
def all_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "installed", lambda _: True)


def names(capability: str, **settings: object) -> list[str]:
    return [provider.name for provider in providers(Settings(**settings), capability)]  # type: ignore[arg-type]


def test_with_keys_the_hosted_come_first() -> None:
    keys = {"openrouter_api_key": "sk-or-v1-abcdefgh", "huggingface_api_key": "hf_abcdefgh"}
    assert names("text", **keys) == ["openrouter", "local"]
    for capability in ("image", "transcription", "speech", "image_transform"):
        assert names(capability, **keys) == ["huggingface", "local"]


def test_without_keys_local_serves() -> None:
    assert names("text") == ["local", "openrouter"]
    assert names("image") == ["local", "huggingface"]
    (local_row, openrouter_row) = providers(Settings(), "text")
    assert (local_row.missing, openrouter_row.missing) == ("", "OPENROUTER_API_KEY is not set")


def test_the_fake_comes_before_all() -> None:
    for capability in CAPABILITIES:
        chain = names(capability, fake_provider=True, openrouter_api_key="sk-abcdefgh", huggingface_api_key="hf_abcd")
        assert chain[0] == "fake"
        assert len(chain) == 3


def test_local_can_be_switched_off() -> None:
    assert names("text", local_provider=False) == ["openrouter"]


def test_local_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "installed", lambda capability: capability != "speech")
    assert names("text") == ["local", "openrouter"]
    chain = providers(Settings(), "speech")
    assert {provider.name: provider.missing for provider in chain} == {
        "huggingface": "HUGGINGFACE_API_KEY is not set",
        "local": "packages of requirements/offline.txt are not installed",
    }


def test_nobody_serves_what_does_not_exist() -> None:
    assert names("video", fake_provider=True) == []


def test_every_capability_has_a_default_model() -> None:
    for capability in CAPABILITIES:
        for provider in providers(Settings(fake_provider=True), capability):
            assert provider.services[capability].models[0]


def test_keys_never_show() -> None:
    settings = Settings(openrouter_api_key=SecretStr("sk-or-v1-abcdefgh"), huggingface_api_key=SecretStr("hf_abcdefgh"))
    shown = repr([providers(settings, capability) for capability in CAPABILITIES])
    assert "abcdefgh" not in shown
