"""What a worker does itself with parts: it cuts recordings and joins what was spoken, over HTTP and in its own process."""

import io
import wave

import numpy as np
import pytest

from genesis.domain.identity import new_id
from genesis.domain.job import CUT, JOIN
from genesis.errors import InputRejected, InputTooLong, ProviderRejected
from genesis.ports.workers import Call
from genesis.settings import Settings
from genesis.storage.open import open_store
from tests.support.providers.base import KEY, serving
from tests.support.providers.openai import OpenAIServer, app_of
from tests.support.worker_servers import call, in_process, over_http
from workers.measure import audio_seconds


def wav(seconds, rate=16_000):
    target = io.BytesIO()
    with wave.open(target, "wb") as sink:
        sink.setnchannels(1)
        sink.setsampwidth(2)
        sink.setframerate(rate)
        moments = np.arange(round(seconds * rate)) / rate
        sink.writeframes((6_000 * np.sin(2 * np.pi * 200 * moments)).astype("<i2").tobytes())
    return target.getvalue()


@pytest.fixture
async def openai(monkeypatch):
    monkeypatch.setattr("genesis.providers.openai.LONGEST_AUDIO_SECONDS", 2.0)
    server = OpenAIServer()
    async with serving(app_of(server)) as url:
        server.url = f"{url}/v1"
        yield server


@pytest.fixture
def settings(tmp_path, openai):
    return Settings(
        storage_path=tmp_path / "storage",
        openai_api_key=KEY,
        openai_base_url=openai.url,
        local_provider=False,
        log_level="ERROR",
    )


@pytest.fixture(params=[over_http, in_process], ids=["http", "in_process"])
def worker(request, settings):
    return lambda capability: request.param(capability, settings)


@pytest.fixture
def store(settings):
    return open_store(settings)


def own(capability, model, given, **options):
    return Call(new_id(), new_id(), capability, given, {"model": model, **options})


async def test_a_recording_that_is_too_long_is_not_sent(worker, store, openai):
    url = (await store.write("audio/a.wav", wav(2.5), "audio/wav")).url
    async with worker("transcription") as client:
        with pytest.raises(InputTooLong, match=r"2\.500 seconds; openai takes 2"):
            await client.generate(call("transcription", url, model="openai:whisper-1"))
        assert openai.charges == []
        url = (await store.write("audio/b.wav", wav(2.0), "audio/wav")).url
        assert (await client.generate(call("transcription", url, model="openai:whisper-1"))).output["text"]


async def test_one_that_is_too_large_is_cut_as_well(openai, settings, store, monkeypatch):
    monkeypatch.setattr("genesis.providers.openai.LARGEST_AUDIO_BYTES", 50_000)
    url = (await store.write("audio/a.wav", wav(0.8, 48_000), "audio/wav")).url
    async with in_process("transcription", settings) as client:
        with pytest.raises(InputTooLong, match="76,844 bytes; openai takes 50,000"):
            await client.generate(call("transcription", url, model="openai:whisper-1"))
        (part,) = (await client.generate(own("transcription", CUT, {"audio_url": url}))).output["parts"]
        assert (part["start"], part["end"]) == (0, 0.8)
        heard = await client.generate(call("transcription", part["audio_url"], model="openai:whisper-1"))
    assert heard.output["text"]
    assert len(openai.charges) == 1


async def test_it_is_cut_into_files_that_lie_one_after_the_other(worker, store, openai):
    url = (await store.write("audio/a.wav", wav(5), "audio/wav")).url
    asked = own("transcription", CUT, {"audio_url": url}, for_model="openai:whisper-1")
    async with worker("transcription") as client:
        result = await client.generate(asked)
        again = await client.generate(Call(new_id(), asked.call_key, asked.capability, asked.input, asked.options))
    assert (result.target, result.cost) == (CUT, 0)
    assert again.output == result.output  # the same names and the same files
    parts = result.output["parts"]
    assert [part["audio_url"] for part in parts] == [
        f"/storage/audio/{asked.call_key}-{number + 1}.flac" for number in range(len(parts))
    ]
    assert [part["end"] for part in parts] == [*[part["start"] for part in parts[1:]], 5.0]
    for part in parts:
        data = await store.read(part["audio_url"].removeprefix("/storage/"), limit=10**7)
        assert float(audio_seconds(data)) == pytest.approx(part["end"] - part["start"], abs=0.001)
    assert openai.requests == []


async def test_a_recording_of_too_many_parts_is_refused(worker, store, monkeypatch):
    monkeypatch.setattr("workers.parts.MOST_PARTS", 2)
    url = (await store.write("audio/a.wav", wav(7), "audio/wav")).url
    async with worker("transcription") as client:
        with pytest.raises(InputRejected, match="more than 2 parts of 2 seconds"):
            await client.generate(own("transcription", CUT, {"audio_url": url}))


@pytest.mark.parametrize(("wanted", "media_type"), [(None, "audio/wav"), ("mp3", "audio/mpeg"), ("opus", "audio/ogg")])
async def test_spoken_parts_are_joined_in_the_format_that_is_asked_for(worker, store, wanted, media_type):
    urls = [(await store.write(f"audio/{number}.wav", wav(1 + number), "audio/wav")).url for number in range(3)]
    options = {"format": wanted} if wanted else {}
    async with worker("speech") as client:
        result = await client.generate(own("speech", JOIN, {"audio_urls": urls}, **options))
    assert (result.target, result.artifact.media_type) == (JOIN, media_type)
    data = await store.read(result.artifact.key, limit=10**7)
    assert float(audio_seconds(data)) == pytest.approx(6 + 2 * 0.25, abs=0.1)


async def test_what_cannot_be_cut_or_joined_is_refused(worker, store):
    broken = (await store.write("audio/a.wav", wav(1)[:30] + b"\0" * 20, "audio/wav")).url
    async with worker("speech") as client:
        for urls in ([], ["https://example.com/a.wav"], ["/storage/audio/missing.wav"], [broken]):
            with pytest.raises(InputRejected):
                await client.generate(own("speech", JOIN, {"audio_urls": urls}))
        with pytest.raises(ProviderRejected, match="no provider `genesis`"):
            await client.generate(call("speech", "hello", model=CUT))
        described = await client.describe("speech")
    assert "genesis" not in {provider.name for provider in described.providers}
    assert {provider.name: provider.longest_text for provider in described.providers}["openai"] == 4096
