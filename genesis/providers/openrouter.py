"""OpenRouter: text, images, speech and transcriptions from many makers' models behind one key, https://openrouter.ai/docs.

Models are named as there, for example `openrouter:openai/gpt-4o-mini`; the defaults are those of its own guides.
"""

from typing import Any

from genesis.net.exchange import Request
from genesis.providers.base import Adapter, Provider, Service
from genesis.providers.openai_audio import LARGEST_AUDIO_BYTES, LONGEST_AUDIO_SECONDS
from genesis.providers.openrouter_media import (
    OpenRouterImage,
    OpenRouterImageTransform,
    OpenRouterSpeech,
    OpenRouterTranscription,
)
from genesis.providers.openrouter_text import OpenRouterText
from genesis.settings import Settings

_IMAGE_MODELS = ("google/gemini-2.5-flash-image", "black-forest-labs/flux.2-pro")
_SPEECH_MODELS = ("hexgrad/kokoro-82m",)
_TRANSCRIPTION_MODELS = ("openai/whisper-large-v3",)
_LONGEST_SPEECH = 4096
"""Characters that one call speaks at the default model, and at OpenAI's."""


def provider(settings: Settings) -> Provider:
    """The row of OpenRouter."""
    key = settings.openrouter_api_key
    return Provider(
        name="openrouter",
        base_url=settings.openrouter_base_url.rstrip("/"),
        headers={
            "X-OpenRouter-Title": "Genesis",
            **({"Authorization": f"Bearer {key.get_secret_value().strip()}"} if key else {}),
        },
        missing="" if key else "OPENROUTER_API_KEY is not set",
        key_variable="OPENROUTER_API_KEY",
        list_prices=settings.is_default("openrouter_base_url"),
        check=Request("GET", "/key"),
        services={
            "text": _service(OpenRouterText(), settings.llm_model),
            "image": _service(OpenRouterImage(), *_IMAGE_MODELS),
            "image_transform": _service(OpenRouterImageTransform(), *_IMAGE_MODELS),
            "speech": _service(OpenRouterSpeech(), *_SPEECH_MODELS, longest_text=_LONGEST_SPEECH),
            "transcription": _service(
                OpenRouterTranscription(),
                *_TRANSCRIPTION_MODELS,
                longest_audio_seconds=LONGEST_AUDIO_SECONDS,
                largest_audio_bytes=LARGEST_AUDIO_BYTES,
            ),
        },
    )


def _service(adapter: Adapter, *models: str, **limits: Any) -> Service:
    return Service(adapter, models=models, any_model=True, **limits)
