"""Replies for adapter tests: stored ones, and files made by the fake provider."""

from collections.abc import Callable
from pathlib import Path

import pytest

from genesis.net.exchange import Reply, Request
from genesis.providers import fake

_FIXTURES = Path(__file__).parent / "fixtures"
_VARIABLES = """
    OPENAI_API_KEY OPENAI_BASE_URL OPENAI_COMPATIBLE_SERVERS
    OPENROUTER_API_KEY OPENROUTER_BASE_URL HUGGINGFACE_API_KEY HUGGINGFACE_BASE_URL LLM_MODEL IMAGE_MODEL_URL
    FAL_KEY FAL_BASE_URL REPLICATE_API_TOKEN REPLICATE_BASE_URL
    HUGGINGFACE_HUB_URL ELEVENLABS_API_KEY ELEVENLABS_BASE_URL ELEVENLABS_VOICE
    GENESIS_FAKE_PROVIDER GENESIS_FAKE_URL GENESIS_LOCAL_PROVIDER
""".split()
_MEDIA_TYPES = {".json": "application/json", ".html": "text/html; charset=utf-8"}


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in _VARIABLES:
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def stored() -> Callable[..., Reply]:
    """Reads `fixtures/<name>` as a reply of a status, with more headers by name."""

    def read(name: str, status: int = 200, **headers: str) -> Reply:
        path = _FIXTURES / name
        named = {header.replace("_", "-"): value for header, value in headers.items()}
        return Reply(status, {"content-type": _MEDIA_TYPES[path.suffix], **named}, path.read_bytes())

    return read


@pytest.fixture
def png() -> bytes:
    """A real PNG file."""
    form = {"text": "a cat", "options": '{"quality": "draft"}'}
    return fake.answer(Request("POST", "/image", form=form)).body


@pytest.fixture
def wav() -> bytes:
    """A real WAV file."""
    return fake.answer(Request("POST", "/speech", form={"text": "hello"})).body
