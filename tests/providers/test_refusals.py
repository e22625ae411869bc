"""What every provider's refusal proves: whose word it is that nothing was done, and whether another model may do it."""

import json
from dataclasses import replace

import pytest
from aiohttp import web

from genesis.capabilities.catalog import CAPABILITIES
from genesis.errors import (
    ModelUnavailable,
    ProviderAmbiguous,
    ProviderError,
    ProviderMisconfigured,
    ProviderRejected,
    ProviderUnavailable,
)
from genesis.net.exchange import Reply
from genesis.providers.base import Media, ProviderCall
from genesis.providers.openrouter_text import OpenRouterText
from genesis.providers.registry import providers
from genesis.settings import Settings
from tests.support.providers.base import serving
from tests.support.worker_servers import call, in_process

HOSTED = {
    "openrouter": "text",
    "openai": "image",
    "huggingface": "image",
    "fal": "image",
    "replicate": "image",
    "elevenlabs": "speech",
}
ENVOY = b"upstream connect error or disconnect/reset before headers. reset reason: connection termination"  # after it was sent
JSON = {"content-type": "application/json"}


def refused(name, reply):
    capability = HOSTED[name]
    provider = next(one for one in providers(Settings(), capability) if one.name == name)
    with pytest.raises(ProviderError) as raised:
        provider.services[capability].adapter.parse_reply(reply)
    return raised.value


@pytest.mark.parametrize("name", HOSTED)
@pytest.mark.parametrize("status", [503, 529])
@pytest.mark.parametrize(
    ("body", "headers", "kind"),
    [
        (b'{"error":{"message":"busy"}}', JSON, ProviderUnavailable),
        (b'{"detail":"busy"}', JSON, ProviderUnavailable),
        (b"", {"retry-after": "5"}, ProviderUnavailable),
        (b"", {}, ProviderAmbiguous),
        (b"<html>Service unavailable</html>", {"content-type": "text/html"}, ProviderAmbiguous),
        (ENVOY, {"content-type": "text/plain"}, ProviderAmbiguous),
    ],
)
def test_an_overload_is_free_in_the_providers_own_word_only(name, status, body, headers, kind):
    assert type(refused(name, Reply(status, headers, body))) is kind


@pytest.mark.parametrize("name", ["openrouter", "openai"])
@pytest.mark.parametrize("capability", CAPABILITIES)
def test_the_model_is_not_for_provider_options(name, capability):
    """It would be asked and paid for under the name of another."""
    provider = next(one for one in providers(Settings(), capability) if one.name == name)
    adapter, media = provider.services[capability].adapter, Media(b"RIFF", "audio/wav")
    if capability == "image_transform":
        media = Media(b"PNG", "image/png")
    named = ProviderCall("m", "hi", media, {"prompt": "Red."}, {"model": "dear"})
    with pytest.raises(ProviderRejected) as raised:
        adapter.build_request(named)
    assert "options.model" in raised.value.hint
    assert adapter.build_request(replace(named, provider_options={"model": "m"}))


@pytest.mark.parametrize("name", HOSTED)
@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_redirect_says_what_to_look_at(name, status):
    error = refused(name, Reply(status, {"location": "http://169.254.169.254/"}, b"<html>Moved</html>"))
    assert type(error) is ProviderMisconfigured
    assert "base URL" in error.hint


@pytest.mark.parametrize("name", HOSTED)
@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("body", [b'{"error":{"message":"no such model"}}', b"<html>Not found</html>", b""])
def test_what_is_not_there_is_for_another_model(name, status, body):
    error = refused(name, Reply(status, {}, body))
    assert type(error) is ModelUnavailable
    assert not error.same_provider


@pytest.mark.parametrize(
    "code",
    """
    model_not_found wrong_endpoint no_endpoints model_deprecated model_unavailable_upstream constraint_filtered
    free_variant_ended
    """.split(),
)
@pytest.mark.parametrize("status", [400, 404])
def test_what_openrouter_cannot_route_is_for_another_model(code, status):
    error = {"code": status, "message": "No.", "availability": {"code": code, "retryable": False}}
    with pytest.raises(ModelUnavailable):
        OpenRouterText().parse_reply(Reply(status, JSON, json.dumps({"error": error}).encode()))


@pytest.mark.parametrize("name", HOSTED)
async def test_a_gateway_that_lost_its_provider_is_asked_once(tmp_path, name):
    """Its 503 may come after the provider has begun."""
    requests = []

    async def lost(request):
        requests.append(request.method)
        return web.Response(status=503, body=ENVOY, content_type="text/plain")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", lost)
    keys = ("openrouter_api_key", "openai_api_key", "huggingface_api_key", "fal_key", "replicate_api_token")
    async with serving(app) as url:
        urls = {f"{one}_base_url": url for one in HOSTED}
        given = dict.fromkeys((*keys, "elevenlabs_api_key"), "key-of-a-test")
        settings = Settings(**given, **urls, storage_path=tmp_path, local_provider=False)
        async with in_process(HOSTED[name], settings) as client:
            provider = next(one for one in (await client.describe(HOSTED[name])).providers if one.name == name)
            with pytest.raises(ProviderAmbiguous, match="503: upstream connect error"):
                await client.generate(call(HOSTED[name], "hi", model=f"{name}:{provider.models[0]}"))
    assert requests == ["POST"]
