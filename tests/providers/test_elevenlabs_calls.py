"""ElevenLabs' adapters against the fake, through a real worker: results, faults, charges, and nothing twice.

ElevenLabs' own SDK is not among the packages of this project, so the fake is held against that SDK's sources by reading
only.
"""

from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from genesis.domain.quantity import Unit
from genesis.errors import (
    CallFailed,
    ProviderAmbiguous,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
)
from genesis.net.client import HttpClient
from genesis.ports.workers import CallPending
from genesis.providers.elevenlabs import provider
from genesis.settings import Settings
from tests.support.providers.base import serving
from tests.support.providers.elevenlabs import KEY, VOICES, FakeVoices, app_of
from tests.support.providers.huggingface import SPOKEN
from tests.support.worker_servers import call, in_process, over_http
from workers.channels import open_channel

NOT_CHARGED = {"rate-limited", "unavailable", "refused", "error", "reset", "quota", "busy"}
FAULTS = {
    "rate-limited": ProviderRateLimited,
    "unavailable": ProviderUnavailable,
    "busy": ProviderUnavailable,
    "quota": ProviderMisconfigured,
    "refused": ProviderRejected,
    "error": ProviderAmbiguous,
    "reset": ProviderAmbiguous,
    "charged-error": ProviderAmbiguous,
    "charged-reset": ProviderAmbiguous,
    "unkept": ProviderAmbiguous,
    "html": ProviderAmbiguous,
    "hang": ProviderAmbiguous,
}


@dataclass
class At:
    """A worker with ElevenLabs behind it."""

    client: object
    voices: FakeVoices
    url: str

    def wanted(self, capability, mark="", **options):
        if capability == "speech":
            return call("speech", f"hello{mark}", model="elevenlabs:eleven_flash_v2_5", **options)
        fault = mark.strip("[]").removeprefix("fault:")
        url = f"{self.url}/files/input.wav" + (f"?fault={fault}" if fault else "")
        return call("transcription", url, model="elevenlabs:scribe_v1", **options)


@asynccontextmanager
async def worker(tmp_path, capability, opened=in_process, **settings):
    voices = FakeVoices()
    async with serving(app_of(voices)) as url:
        given = {
            "elevenlabs_api_key": KEY,
            "elevenlabs_base_url": url,
            "storage_path": tmp_path,
            "fetch_allowed_hosts": ("127.0.0.1",),
            "local_provider": False,
            **settings,
        }
        async with opened(capability, Settings(**given)) as client:
            yield At(client, voices, url)


async def test_speech_over_http(tmp_path):
    async with worker(tmp_path, "speech", over_http) as at:
        wanted = at.wanted("speech", voice=VOICES[1], language="en-US", speed=2.0, provider_options={"seed": 7})
        result = await at.client.generate(wanted)
        assert result.artifact.media_type == "audio/wav"
        assert result.quantities[Unit.PROVIDER_UNITS] == len("hello")
        assert result.usage == {"request_id": "r-speech-1"}
        assert result.warnings == ("elevenlabs has no 2.0 for `speed`; it used 1.2.",)
        assert at.voices.requests == [f"POST /v1/text-to-speech/{VOICES[1]}?output_format=mp3_44100_128"]
        assert at.voices.bodies == [
            {
                "text": "hello",
                "model_id": "eleven_flash_v2_5",
                "language_code": "en",
                "voice_settings": {"speed": 1.2},
                "seed": 7,
            }
        ]
        assert len(at.voices.charges) == 1


async def test_a_language_that_the_model_finds_out_itself(tmp_path):
    async with worker(tmp_path, "speech") as at:
        wanted = call("speech", "hello", model="elevenlabs:eleven_multilingual_v2", language="en")
        result = await at.client.generate(wanted)
        assert result.warnings == ("elevenlabs cannot honor `language`; it was left out.",)
        assert "language_code" not in at.voices.bodies[0]


async def test_transcription_over_http(tmp_path):
    async with worker(tmp_path, "transcription", over_http) as at:
        result = await at.client.generate(at.wanted("transcription", language="pt-BR"))
        assert result.output["text"] == SPOKEN
        assert result.quantities[Unit.AUDIO_SECONDS] == 3.5
        assert at.voices.forms == [{"model_id": "scribe_v1", "tag_audio_events": "false", "language_code": "pt"}]
        assert [charge.capability for charge in at.voices.charges] == ["transcription"]


@pytest.mark.parametrize("capability", ["speech", "transcription"])
async def test_each_fault_is_what_it_is_and_nothing_is_sent_twice(capability, tmp_path):
    async with worker(tmp_path, capability, call_timeout_seconds=1.0) as at:
        for mark, kind in FAULTS.items():
            if (capability, mark) == ("transcription", "unkept"):
                mark = "truncated"  # noqa: PLW2901 - only speech has a history
            at.voices.charges.clear()
            at.voices.requests.clear()
            with pytest.raises(CallFailed) as failed:
                await at.client.generate(at.wanted(capability, f"[fault:{mark}]"))
            assert failed.value.code == kind.code, mark
            assert len(at.voices.charges) == (mark not in NOT_CHARGED), mark
            assert sum(line.startswith("POST") for line in at.voices.requests) == 1, mark
            assert KEY not in failed.value.message + failed.value.hint


async def test_speech_that_was_cut_off_comes_from_the_history(tmp_path):
    async with worker(tmp_path, "speech") as at:
        wanted = at.wanted("speech", "[fault:truncated]")
        pending = await at.client.generate(wanted)
        assert isinstance(pending, CallPending)
        result = await at.client.poll(wanted, pending.handle)
        assert result.artifact.media_type == "audio/wav"
        assert len(at.voices.charges) == 1
        assert [line.partition("?")[0] for line in at.voices.requests] == [
            f"POST /v1/text-to-speech/{VOICES[0]}",
            "GET /v1/history/speech-1/audio",
        ]


async def test_an_entry_that_the_history_does_not_know_leaves_the_call_in_doubt(tmp_path):
    async with worker(tmp_path, "speech") as at:
        wanted = at.wanted("speech", "[fault:truncated]")
        pending = await at.client.generate(wanted)
        at.voices.charges.clear()
        with pytest.raises(ProviderAmbiguous):
            await at.client.poll(wanted, pending.handle)


async def test_a_wrong_key_and_an_unknown_voice_say_what_to_do(tmp_path):
    async with worker(tmp_path, "speech", elevenlabs_api_key="sk_wrong_key_of_someone") as at:
        with pytest.raises(ProviderMisconfigured) as failed:
            await at.client.generate(at.wanted("speech"))
        assert "ELEVENLABS_API_KEY" in failed.value.hint
        assert "sk_wrong" not in failed.value.message + failed.value.hint
    async with worker(tmp_path, "speech") as at:
        with pytest.raises(ProviderRejected) as refused:
            await at.client.generate(at.wanted("speech", voice="nobody"))
        assert "ELEVENLABS_VOICE" in refused.value.hint
        assert at.voices.charges == []


async def test_the_key_is_tried_for_nothing(tmp_path):
    voices = FakeVoices()
    async with serving(app_of(voices)) as url, HttpClient() as client:
        for key, status in ((KEY, 200), ("sk_wrong_key_of_someone", 401)):
            settings = Settings(elevenlabs_api_key=key, elevenlabs_base_url=url, storage_path=tmp_path)
            row = provider(settings)
            assert (await open_channel(row, "speech", client, settings).send(row.check)).status == status
    assert voices.requests == ["GET /v1/user"] * 2
    assert voices.charges == []
