"""The row of Hugging Face: one key for text, image, image transformation, transcription and speech.

What a partner serves changes often, so that the models below are defaults and every other name is passed on.
`IMAGE_MODEL_URL` names a dedicated endpoint instead of the default image model; it is spoken to as `hf-inference` is.
"""

from urllib.parse import urlsplit

from genesis.errors import Misconfigured
from genesis.net.exchange import Request
from genesis.providers.base import Adapter, Provider, Service
from genesis.providers.huggingface.adapter import HuggingFaceMedia, HuggingFaceText
from genesis.providers.huggingface.partners import IMAGE, IMAGE_TRANSFORM, SPEECH, TRANSCRIPTION
from genesis.settings import Settings

_IMAGE_MODELS = (
    "stabilityai/stable-diffusion-3-medium-diffusers",
    "black-forest-labs/FLUX.1-schnell",
    "fal-ai/flux/dev@fal-ai",
    "black-forest-labs/flux-schnell@replicate",
    "black-forest-labs/FLUX.1-schnell@together",
    "black-forest-labs/FLUX.1-schnell@nscale",
    "wavespeed-ai/flux-dev@wavespeed",
    "glm-image@zai-org",
)
_IMAGE_TRANSFORM_MODELS = (
    "fal-ai/flux-2/klein/9b/edit",
    "fal-ai/qwen-image-edit-plus",
    "black-forest-labs/flux-kontext-dev@replicate",
    "black-forest-labs/FLUX.1-kontext-dev@together",
    "wavespeed-ai/flux-kontext-dev@wavespeed",
)
_TRANSCRIPTION_MODELS = ("openai/whisper-large-v3", "fal-ai/whisper@fal-ai", "openai/whisper-large-v3@deepinfra")
_SPEECH_MODELS = ("fal-ai/kokoro/american-english", "fal-ai/dia-tts", "hexgrad/Kokoro-82M@deepinfra")
_TEXT_MODELS = ("openai/gpt-oss-120b", "meta-llama/Llama-3.3-70B-Instruct")


def provider(settings: Settings) -> Provider:
    """The row of Hugging Face.

    The key is tried at the Hub, which is another origin than the router's; it goes there for that one URL only.

    Raises:
        Misconfigured: IMAGE_MODEL_URL is not a URL.
    """
    endpoint = settings.image_model_url
    if endpoint and not _is_plain_url(endpoint):
        raise Misconfigured(
            "IMAGE_MODEL_URL cannot be used.",
            hint="Write it as https://host/path, without a password or a query; the key stands in HUGGINGFACE_API_KEY.",
        )
    key = settings.huggingface_api_key
    check = settings.huggingface_hub_url.rstrip("/") + "/api/whoami-v2"
    return Provider(
        name="huggingface",
        base_url=settings.huggingface_base_url.rstrip("/"),
        headers={"Authorization": f"Bearer {key.get_secret_value().strip()}"} if key else {},
        own_urls=frozenset({check, *([endpoint] if endpoint else [])}),
        missing="" if key else "HUGGINGFACE_API_KEY is not set",
        key_variable="HUGGINGFACE_API_KEY",
        list_prices=settings.is_default("huggingface_base_url"),
        check=Request("GET", check),
        services=_services(endpoint),
    )


def _is_plain_url(url: str) -> bool:
    """Whether a URL names a place alone: it is shown as the name of a model, so that no secret may stand in it."""
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return named and "@" not in parts.netloc and not parts.query and not parts.fragment


def _services(endpoint: str | None) -> dict[str, Service]:
    own = (endpoint,) if endpoint else ()
    return {
        "text": _service(HuggingFaceText(), _TEXT_MODELS),
        "image": _service(HuggingFaceMedia(IMAGE, kind="image", endpoint=endpoint), own + _IMAGE_MODELS),
        "transcription": _service(HuggingFaceMedia(TRANSCRIPTION), _TRANSCRIPTION_MODELS),
        "speech": _service(HuggingFaceMedia(SPEECH, kind="audio"), _SPEECH_MODELS),
        "image_transform": _service(HuggingFaceMedia(IMAGE_TRANSFORM, kind="image"), _IMAGE_TRANSFORM_MODELS),
    }


def _service(adapter: Adapter, models: tuple[str, ...]) -> Service:
    return Service(adapter, models=models, any_model=True)
