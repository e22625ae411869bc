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


KEYS = {
    "openrouter_api_key": "sk-or-v1-abcdefgh",
    "openai_api_key": "sk-abcdefgh",
    "huggingface_api_key": "hf_abcdefgh",
    "fal_key": "abcdefgh",
    "replicate_api_token": "r8_abcdefgh",
    "elevenlabs_api_key": "abcdefgh",
}
ORDER = ["openrouter", "openai", "huggingface", "fal", "replicate", "elevenlabs", "mine", "local"]
SERVER = {"url": "http://127.0.0.1/v1", "models": {capability: ["m"] for capability in CAPABILITIES}}


def names(capability: str, **settings: object) -> list[str]:
    """Those that can be called."""
    chain = providers(Settings(**settings), capability)  # type: ignore[arg-type]
    return [provider.name for provider in chain if not provider.missing]


def test_with_keys_the_hosted_come_first() -> None:
    for capability in CAPABILITIES:
        chain = names(capability, openai_compatible_servers={"mine": SERVER}, **KEYS)
        assert chain == [name for name in ORDER if name in chain]
        assert {"openrouter", "openai", "huggingface", "mine", "local"} <= set(chain)


@pytest.mark.parametrize("key", KEYS)
def test_each_key_puts_its_provider_first(key: str) -> None:
    provider = ORDER[list(KEYS).index(key)]
    chains = [names(capability, **{key: KEYS[key]}) for capability in CAPABILITIES]
    assert [provider, "local"] in chains
    assert all(chain in ([provider, "local"], ["local"]) for chain in chains)


def test_without_keys_local_serves() -> None:
    for capability in CAPABILITIES:
        assert names(capability) == ["local"]
        (first, *others) = providers(Settings(), capability)
        assert first.name == "local"
        assert all(other.missing == f"{other.key_variable} is not set" for other in others)


def test_the_fake_comes_before_all() -> None:
    for capability in CAPABILITIES:
        assert names(capability, fake_provider=True, openrouter_api_key="sk-abcdefgh")[0] == "fake"


def test_local_can_be_switched_off() -> None:
    assert names("text", local_provider=False) == []


def test_local_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "installed", lambda capability: capability != "speech")
    assert names("text") == ["local"]
    missing = {provider.name: provider.missing for provider in providers(Settings(), "speech")}
    assert missing["local"] == "packages of requirements/offline.txt are not installed"


def test_nobody_serves_what_does_not_exist() -> None:
    assert names("video", fake_provider=True) == []


def test_every_capability_has_a_default_model() -> None:
    for capability in CAPABILITIES:
        for provider in providers(Settings(fake_provider=True), capability):
            assert provider.services[capability].models[0]


def test_keys_never_show() -> None:
    settings = Settings(**{name: SecretStr(key) for name, key in KEYS.items()})  # type: ignore[arg-type]
    shown = repr([providers(settings, capability) for capability in CAPABILITIES])
    assert "abcdefgh" not in shown
