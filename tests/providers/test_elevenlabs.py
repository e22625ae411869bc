"""ElevenLabs: exact requests, answers, and every form of error."""

import json
from decimal import Decimal

import pytest
from pydantic import SecretStr

from genesis.domain.quantity import Unit
from genesis.domain.transcript import Segment
from genesis.errors import (
    NothingSaid,
    ProviderAmbiguous,
    ProviderError,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
)
from genesis.net.exchange import FormFile, Reply, Request
from genesis.providers.base import Done, Media, Pending, ProviderCall, RecoverableAdapter, options_of
from genesis.providers.elevenlabs import provider
from genesis.providers.options import warnings_of
from genesis.settings import Settings

KEY = "sk_0123456789abcdef"
VOICE = "JBFqnCBsd6RMkjVDRZzb"
AUDIO = Media(b"fLaC....", "audio/flac")


def adapter(capability, **settings):
    return provider(Settings(**settings)).services[capability].adapter


def spoken(model="eleven_flash_v2_5", options=None, **provider_options):
    return adapter("speech").build_request(ProviderCall(model, "Hello", None, options or {}, provider_options))


def failure(reply, capability="speech"):
    with pytest.raises(ProviderError) as raised:
        adapter(capability).parse_reply(reply)
    return raised.value


def test_row():
    row = provider(Settings(elevenlabs_api_key=SecretStr(f" {KEY}\n"), elevenlabs_base_url="http://127.0.0.1:9/"))
    assert (row.name, row.base_url, row.headers) == ("elevenlabs", "http://127.0.0.1:9", {"xi-api-key": KEY})
    assert (row.missing, row.key_variable, row.check) == ("", "ELEVENLABS_API_KEY", Request("GET", "/v1/user"))
    assert set(row.services) == {"speech", "transcription"}
    assert row.services["speech"].longest_text == 5_000
    assert KEY not in repr(row)
    without = provider(Settings())
    assert (without.missing, without.headers) == ("ELEVENLABS_API_KEY is not set", {})


def test_plain_speech():
    assert spoken("eleven_multilingual_v2") == Request(
        "POST",
        f"/v1/text-to-speech/{VOICE}?output_format=mp3_44100_128",
        {"Accept": "audio/*"},
        json={"text": "Hello", "model_id": "eleven_multilingual_v2"},
    )


def test_speech_with_all_options():
    options = {"voice": "EXAVITQu4vr4xnSDxMaL", "language": "pt-BR", "speed": 1.1}
    assert set(options) == set(adapter("speech").options)
    request = spoken(
        options=options, seed=7, voice_settings={"stability": 0.4}, output_format="wav_24000", enable_logging=False
    )
    assert request == Request(
        "POST",
        "/v1/text-to-speech/EXAVITQu4vr4xnSDxMaL?output_format=wav_24000&enable_logging=false",
        {"Accept": "audio/*"},
        json={
            "text": "Hello",
            "model_id": "eleven_flash_v2_5",
            "language_code": "pt",
            "voice_settings": {"speed": 1.1, "stability": 0.4},
            "seed": 7,
        },
    )


@pytest.mark.parametrize(
    ("speed", "told", "warned"),
    [(0.5, 0.7, "0.7"), (0.7, 0.7, ""), (1.0, 1.0, ""), (1.2, 1.2, ""), (2.0, 1.2, "1.2")],
)
def test_speeds_that_are_too_slow_or_too_fast(speed, told, warned):
    assert spoken(options={"speed": speed}).json["voice_settings"] == {"speed": told}
    warnings = warnings_of("elevenlabs", adapter("speech").options, {"speed": speed})
    assert warnings == ((f"elevenlabs has no {speed} for `speed`; it used {warned}.",) if warned else ())


def test_models_that_refuse_to_be_told_the_language():
    speech = adapter("speech")
    assert set(options_of(speech, "eleven_v3")) == {"voice", "language", "speed"}
    assert set(options_of(speech, "eleven_multilingual_v2")) == {"voice", "speed"}


def test_the_voice_of_the_operator():
    speech = adapter("speech", elevenlabs_voice="mine")
    assert speech.build_request(ProviderCall("m", "x")).url.startswith("/v1/text-to-speech/mine?")


@pytest.mark.parametrize("voice", ["../user", "a b", "a/b", "", "Ännchen", "a?x=1", "a" * 65])
def test_a_voice_cannot_lead_elsewhere(voice):
    with pytest.raises(ProviderRejected, match="not the id of a voice") as raised:
        spoken(options={"voice": voice})
    assert "ELEVENLABS_VOICE" in raised.value.hint


@pytest.mark.parametrize("name", ["pcm_24000", "ulaw_8000", "alaw_8000"])
def test_audio_without_a_header_is_refused_before_it_is_paid(name):
    with pytest.raises(ProviderRejected, match="without a header"):
        spoken(output_format=name)


def test_a_transcription_request():
    call = ProviderCall("scribe_v1", "", AUDIO, {"language": "en-US"}, {"diarize": True})
    assert adapter("transcription").build_request(call) == Request(
        "POST",
        "/v1/speech-to-text",
        form={
            "file": FormFile("audio.flac", "audio/flac", AUDIO.data),
            "model_id": "scribe_v1",
            "tag_audio_events": "false",
            "language_code": "en",
            "diarize": "true",
        },
    )


@pytest.mark.parametrize("name", ["webhook", "use_multi_channel"])
def test_transcriptions_of_other_forms_are_refused(name):
    with pytest.raises(ProviderRejected, match=name):
        adapter("transcription").build_request(ProviderCall("scribe_v1", "", AUDIO, {}, {name: True}))


def test_speech(wav):
    headers = {"content-type": "audio/mpeg", "character-cost": "240", "request-id": "r1"}
    assert adapter("speech").parse_reply(Reply(200, headers, wav)) == Done(
        media=Media(wav, "audio/wav"), quantities={Unit.PROVIDER_UNITS: Decimal(240)}, usage={"request_id": "r1"}
    )
    assert adapter("speech").parse_reply(Reply(200, {}, wav)) == Done(media=Media(wav, "audio/wav"))


@pytest.mark.parametrize("body", [b"", b"<html><body>Bad gateway</body></html>", b'{"detail":"later"}', b"\x00\x01"])
def test_a_success_without_speech_is_in_doubt(body):
    assert type(failure(Reply(200, {}, body))) is ProviderAmbiguous


def test_a_transcription(stored):
    assert adapter("transcription").parse_reply(stored("elevenlabs/transcription.json")) == Done(
        text="He was surprised. (laughter)",
        quantities={Unit.AUDIO_SECONDS: Decimal("2.5")},
        words=(Segment(0.1, 0.3, "He"), Segment(0.35, 0.5, "was"), Segment(0.55, 1.2, "surprised.")),
    )


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"text": " "}, NothingSaid),
        ({"text": None}, ProviderAmbiguous),
        ({"message": "Request accepted", "request_id": "r"}, ProviderAmbiguous),
        ([], ProviderAmbiguous),
    ],
)
def test_no_transcription(document, kind):
    assert type(failure(Reply(200, {}, json.dumps(document).encode()), "transcription")) is kind


@pytest.mark.parametrize("words", [None, 7, [None], [{"text": "a"}], [{"text": "a", "start": "x", "end": 1}]])
def test_words_that_cannot_be_read_do_not_matter(words):
    reply = Reply(200, {}, json.dumps({"text": "a", "words": words}).encode())
    done = adapter("transcription").parse_reply(reply)
    assert (done.text, done.words) == ("a", ())


@pytest.mark.parametrize(
    ("fixture", "kind", "message", "hint"),
    [
        ("invalid_key_401", ProviderMisconfigured, "Invalid API key", "ELEVENLABS_API_KEY; `genesis-server check`"),
        ("quota_exceeded_401", ProviderMisconfigured, "12 credits remaining", "Add credit"),
        ("missing_permissions_401", ProviderMisconfigured, "missing the permission", "permission"),
        ("voice_not_found_404", ProviderRejected, "was not found", "ELEVENLABS_VOICE"),
        ("too_long_400", ProviderRejected, "character limit of 5000", ""),
        ("validation_422", ProviderRejected, "less than or equal to 1.2", ""),
        ("concurrent_429", ProviderRateLimited, "concurrent requests", ""),
        ("busy_429", ProviderUnavailable, "heavy traffic", ""),
        ("rate_limit_429", ProviderRateLimited, "Slow down", ""),
    ],
)
@pytest.mark.parametrize("capability", ["speech", "transcription"])
def test_documented_errors(stored, capability, fixture, kind, message, hint):
    error = failure(stored(f"elevenlabs/{fixture}.json", int(fixture[-3:])), capability)
    assert type(error) is kind
    assert message in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (402, ProviderMisconfigured),
        (403, ProviderMisconfigured),
        (409, ProviderRejected),
        (429, ProviderRateLimited),
        (500, ProviderAmbiguous),
        (502, ProviderAmbiguous),
        (503, ProviderUnavailable),
        (504, ProviderAmbiguous),
    ],
)
@pytest.mark.parametrize(
    "body", [b'{"detail":"oops"}', b'{"detail":{"message":"oops"}}', b'{"message":"oops"}', b"oops"]
)
def test_errors_by_status(status, kind, body):
    error = failure(Reply(status, {"retry-after": "3"}, body))
    assert error.code == (ProviderRateLimited if status == 402 else kind).code
    assert "oops" in error.message
    assert error.retry_after == 3


def test_a_name_does_not_make_a_failure_in_the_middle_safe():
    body = b'{"detail":{"status":"system_busy","message":"oops"}}'
    assert type(failure(Reply(500, {}, body))) is ProviderAmbiguous


def test_speech_that_was_cut_off_is_asked_for_in_the_history():
    speech = adapter("speech")
    assert isinstance(speech, RecoverableAdapter)
    poll = Request("GET", "/v1/history/VW7YKqPnjY4h39yTbx2L/audio")
    assert speech.recover({"history-item-id": "VW7YKqPnjY4h39yTbx2L"}) == Pending(poll)
    assert speech.recover({"request-id": "r1"}) is None
    assert speech.recover({"history-item-id": "../user"}) is None
    body = b'{"detail":{"status":"history_item_not_found","message":"No such item"}}'
    assert type(failure(Reply(404, {}, body))) is ProviderAmbiguous
