"""Servers that speak OpenAI's API: vLLM, Ollama, LocalAI, LiteLLM, Together, …; each is a row of the setting
OPENAI_COMPATIBLE_SERVERS."""

from collections.abc import Callable, Collection, Mapping
from urllib.parse import urlsplit

from genesis.domain.attempt import ProviderClass
from genesis.errors import Misconfigured
from genesis.prices.text import is_seller
from genesis.providers.base import Adapter, Provider, Service
from genesis.providers.openai import CHECK, OpenAIText
from genesis.providers.openai_audio import OpenAISpeech, OpenAITranscription
from genesis.providers.openai_dialect import Dialect
from genesis.providers.openai_images import OpenAIImage, OpenAIImageTransform
from genesis.settings import OpenAICompatibleServer, Settings

_VARIABLE = "OPENAI_COMPATIBLE_SERVERS"
_ADAPTERS: Mapping[str, Callable[[Dialect], Adapter]] = {
    "text": OpenAIText,
    "image": OpenAIImage,
    "image_transform": OpenAIImageTransform,
    "speech": OpenAISpeech,
    "transcription": OpenAITranscription,
}


def providers(settings: Settings, taken: Collection[str]) -> tuple[Provider, ...]:
    """One provider for each server.

    Args:
        taken: names of other providers.

    Raises:
        Misconfigured: a row of the setting cannot be used; the message says which, and what to do.
    """
    servers = settings.openai_compatible_servers
    return tuple(_provider(name, server, taken) for name, server in servers.items())


def _provider(name: str, server: OpenAICompatibleServer, taken: Collection[str]) -> Provider:
    if name in taken:
        raise Misconfigured(
            f"{_VARIABLE}: `{name}` is the name of another provider.",
            hint=f"Give the server another name, for example `my-{name}`.",
        )
    key = server.api_key.get_secret_value().strip() if server.api_key else ""
    return Provider(
        name=name,
        base_url=_base_url(name, server.url),
        headers={"Authorization": f"Bearer {key}"} if key else {},
        key_variable=_VARIABLE if key else "",
        check=CHECK,
        provider_class=ProviderClass.REPEATABLE if server.free else ProviderClass.OPAQUE,
        services=_services(name, server),
        slots=server.slots,
        list_prices=not server.free and is_seller(name, server.url),
    )


def _base_url(name: str, url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        usable = usable and not parts.query and not parts.fragment and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise Misconfigured(
            f"{_VARIABLE}: the url of `{name}` cannot be used.",
            hint="Write it as http://host:port/v1, without a password; the key stands in `api_key`.",
        )
    return url.rstrip("/")


def _services(name: str, server: OpenAICompatibleServer) -> dict[str, Service]:
    unknown = sorted(server.models.keys() - _ADAPTERS.keys())
    if unknown:
        raise Misconfigured(
            f"{_VARIABLE}: `{name}` has models for `{unknown[0]}`, which is no capability.",
            hint=f"Capabilities are {', '.join(_ADAPTERS)}.",
        )
    served = {capability: models for capability, models in server.models.items() if models}
    if not served or not all(model.strip() for models in served.values() for model in models):
        raise Misconfigured(
            f"{_VARIABLE}: `{name}` names no models, or one without a name.",
            hint='Write at least one, for example "models": {"text": ["llama3.3"]}.',
        )
    dialect = Dialect(is_openai=False, hints=_hints(name), thinks_aloud=True)
    return {
        capability: Service(_ADAPTERS[capability](dialect), models, any_model=True)
        for capability, models in served.items()
    }


def _hints(name: str) -> dict[int, str]:
    key = f"Check `api_key` of `{name}` in {_VARIABLE}; `genesis-server check` tries it."
    return {
        401: key,
        403: key,
        404: f"Check the model's name, and the `url` of `{name}` in {_VARIABLE}: it ends with the version, as /v1 does.",
    }
