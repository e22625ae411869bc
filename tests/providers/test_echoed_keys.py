"""Providers that repeat the key that they were given: nobody is told it, whatever the provider and whatever was asked."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from genesis.errors import CallFailed, ProviderMisconfigured, ProviderUnavailable, WorkerUnavailable
from genesis.providers.base import Provider
from genesis.providers.secrets import redacted, without_secrets
from genesis.settings import Settings
from launcher.check import Verdict, check_providers
from tests.support.providers.base import serving
from tests.support.worker_servers import call, in_process

OPENROUTER, OPENAI, HUGGINGFACE = "openrouter-key-of-mine", "0123456789abcdef0123456789abcdef", "hugging-key-of-mine"
FAL_ID, FAL_SECRET = "11111111-2222-3333-4444-555555555555", "99998888777766665555444433332222"
REPLICATE, ELEVENLABS, COMPATIBLE = "replicate-token-of-mine", "fedcba9876543210fedcba9876543210", "my-own-servers-key"
KEYS = (OPENROUTER, OPENAI, HUGGINGFACE, FAL_ID, FAL_SECRET, REPLICATE, ELEVENLABS, COMPATIBLE)
CALLS = {
    "openrouter": ("text", "openrouter:m"),
    "openai": ("text", "openai:m"),
    "huggingface": ("text", "huggingface:a/b"),
    "fal": ("image", "fal:fal-ai/flux/dev"),
    "replicate": ("text", "replicate:meta/meta-llama-3-8b-instruct"),
    "elevenlabs": ("speech", "elevenlabs:eleven_multilingual_v2"),
    "mine": ("text", "mine:m"),
}
TAKEN = {
    "fal": {"status": "IN_QUEUE", "response_url": "https://queue.fal.run/fal-ai/flux/requests/1"},
    "replicate": {"id": "1", "status": "starting", "urls": {"get": "https://api.replicate.com/v1/predictions/1"}},
}


def said(request):
    """The key in all the forms in which it came, in the middle of a sentence and at its end."""
    given = request.headers.get("Authorization") or request.headers["xi-api-key"]
    return f"Wrong: {given.partition(' ')[2] or given}; you sent {given}"


@asynccontextmanager
async def echoing(tmp_path, taken=None):
    """Settings for a server that refuses everything but a submit that is `taken`, and the requests that it got."""
    requests = []

    async def answer(request):
        requests.append(request.method)
        if taken and request.method == "POST":
            return web.json_response(taken, status=201)
        return web.json_response({"error": {"message": said(request)}}, status=401)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with serving(app) as url:
        yield settings_of(url, tmp_path), requests


def settings_of(url, folder):
    keys = {
        "openrouter_api_key": OPENROUTER,
        "openai_api_key": OPENAI,
        "huggingface_api_key": HUGGINGFACE,
        "fal_key": f"{FAL_ID}:{FAL_SECRET}",
        "replicate_api_token": REPLICATE,
        "elevenlabs_api_key": ELEVENLABS,
        "openai_compatible_servers": {"mine": {"url": url, "api_key": COMPATIBLE, "models": {"text": ["m"]}}},
    }
    names = ("openrouter", "openai", "huggingface", "fal", "replicate", "elevenlabs")
    urls = {f"{name}_base_url": url for name in names}
    return Settings(**keys, **urls, huggingface_hub_url=url, storage_path=folder, local_provider=False)


def assert_not_told(text):
    for key in KEYS:
        # Its two halves as well, since a message may be cut anywhere.
        assert key[: len(key) // 2] not in text
        assert key[len(key) // 2 :] not in text


def words_of(error):
    return f"{error} {error.args} {error.message} {error.hint}"


@pytest.mark.parametrize("name", CALLS)
async def test_a_call(tmp_path, name):
    capability, model = CALLS[name]
    async with echoing(tmp_path) as (settings, _), in_process(capability, settings) as client:
        with pytest.raises(ProviderMisconfigured, match="Wrong: …; you sent") as raised:
            await client.generate(call(capability, "hi", model=model))
    assert_not_told(words_of(raised.value))


async def test_a_call_that_is_streamed(tmp_path):
    async with echoing(tmp_path) as (settings, _), in_process("text", settings) as client:
        with pytest.raises(ProviderMisconfigured, match="Wrong: …; you sent") as raised:
            await client.generate(call(model="mine:m"), [].append)
    assert_not_told(words_of(raised.value))


@pytest.mark.parametrize("name", TAKEN)
async def test_a_poll(tmp_path, name):
    capability, model = CALLS[name]
    async with echoing(tmp_path, TAKEN[name]) as (settings, requests), in_process(capability, settings) as client:
        wanted = call(capability, "hi", model=model)
        pending = await client.generate(wanted)
        with pytest.raises(WorkerUnavailable, match="Wrong: …; you sent") as raised:
            await client.poll(wanted, pending.handle)
        assert requests == ["POST", "GET"]
        assert_not_told(words_of(raised.value))


async def test_a_check_of_the_keys(tmp_path):
    async with echoing(tmp_path) as (settings, requests):
        findings = await asyncio.to_thread(check_providers, settings)
    tried = {finding.provider for finding in findings if finding.verdict is Verdict.FAILED}
    assert tried >= {"openrouter", "openai", "huggingface", "replicate", "elevenlabs", "mine"}
    assert len(requests) >= len(tried)
    for finding in findings:
        assert_not_told(finding.detail)


SECRET = Provider("p", "", {"X-Auth-Token": "abcdefghijkl", "X-Title": "Genesis", "Cookie": "a=mnopqrst"}, services={})


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Bad abcdefghijkl!", "Bad …!"),
        ("abcdefghijkl and abcdefghijkl", "… and …"),
        ("Bad a=mnopqrst", "Bad …"),
        ("A message that was cut in abcdefgh", "A message that was cut in …"),
        ("Genesis knows no abc", "Genesis knows no abc"),
    ],
)
def test_what_is_left_of_a_text(text, left):
    assert redacted(SECRET, text) == left


def test_the_kind_of_a_failure_stays():
    failure = ProviderUnavailable("abcdefghijkl", hint="Not abcdefghijkl.", retry_after=3)
    with pytest.raises(CallFailed) as raised, without_secrets(SECRET):
        raise failure
    assert raised.value is failure
    assert (failure.message, failure.hint, failure.retry_after, str(failure)) == ("…", "Not ….", 3, "…")
