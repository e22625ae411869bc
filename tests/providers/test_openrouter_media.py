"""OpenRouter's images, speech and transcriptions: exact requests for all options, and every form of reply."""

import base64
import io
import json
import wave

import pytest

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.money import Money
from genesis.domain.quantity import Unit
from genesis.errors import ProviderAmbiguous, ProviderError, ProviderRejected, ProviderUnavailable
from genesis.net.exchange import Reply, Request
from genesis.providers.base import Done, Media, ProviderCall, Segment
from genesis.providers.openrouter import provider
from genesis.providers.openrouter_media import (
    OpenRouterImage,
    OpenRouterImageTransform,
    OpenRouterSpeech,
    OpenRouterTranscription,
)
from genesis.settings import Settings

IMAGE, TRANSFORM = OpenRouterImage(), OpenRouterImageTransform()
SPEECH, TRANSCRIPTION = OpenRouterSpeech(), OpenRouterTranscription()
MP3 = b"\xff\xfb\x90\x00" + bytes(100)
HEADERS = {"x-generation-id": "gen-tts-1"}


def reply(document: object, status: int = 200, **headers: str) -> Reply:
    return Reply(status, {"content-type": "application/json", **headers}, json.dumps(document).encode())


def images(*files: bytes, **usage: object) -> Reply:
    data = [{"b64_json": base64.b64encode(file).decode(), "media_type": "image/png"} for file in files]
    return reply({"created": 1, "data": data, "usage": usage})


def test_the_tables_speak_of_options_that_exist() -> None:
    for capability, service in provider(Settings()).services.items():
        assert set(service.adapter.options) <= set(CAPABILITIES[capability].options.model_fields)


def test_the_key_is_tried_for_free() -> None:
    row = provider(Settings())
    assert (row.check, row.key_variable) == (Request("GET", "/key"), "OPENROUTER_API_KEY")


@pytest.mark.parametrize(("ours", "theirs"), [("draft", "low"), ("standard", "medium"), ("high", "high")])
def test_an_image_with_all_options(ours: str, theirs: str) -> None:
    options = {"style": "oil", "quality": ours, "aspect_ratio": "2:3", "seed": 5, "format": "webp"}
    assert set(IMAGE.options) == set(options)
    over = {"resolution": "2K", "provider": {"sort": "price"}}
    assert IMAGE.build_request(ProviderCall("m", "A cat.", None, options, over)) == Request(
        "POST",
        "/images",
        json={
            "model": "m",
            "prompt": "A cat, oil style",
            "quality": theirs,
            "aspect_ratio": "2:3",
            "seed": 5,
            "output_format": "webp",
            **over,
        },
    )


def test_a_plain_image() -> None:
    assert IMAGE.build_request(ProviderCall("m", "A cat")).json == {"model": "m", "prompt": "A cat"}


def test_an_image_out_of_an_image() -> None:
    options = {"prompt": "Make it blue", "style": "oil", "seed": 5, "format": "png"}
    assert set(TRANSFORM.options) == set(options)
    assert TRANSFORM.build_request(ProviderCall("m", "", Media(b"abc", "image/png"), options)).json == {
        "model": "m",
        "prompt": "Make it blue, oil style",
        "seed": 5,
        "output_format": "png",
        "input_references": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,YWJj"}}],
    }


def test_an_image_transform_needs_words() -> None:
    with pytest.raises(ProviderRejected, match="what to change"):
        TRANSFORM.build_request(ProviderCall("m", "", Media(b"abc", "image/png")))


@pytest.mark.parametrize("adapter", [IMAGE, TRANSFORM])
def test_a_stream_of_images_is_refused_before_it_costs_anything(adapter: OpenRouterImage) -> None:
    call = ProviderCall("m", "A cat", Media(b"abc", "image/png"), {"style": "oil"}, {"stream": True})
    with pytest.raises(ProviderRejected, match="stream"):
        adapter.build_request(call)


def test_the_first_image(png: bytes) -> None:
    done = IMAGE.parse_reply(images(png, prompt_tokens=7, completion_tokens=4175, cost=0.04))
    assert (done.media, done.cost, done.warnings) == (Media(png, "image/png"), Money(40_000), ())
    assert done.quantities == {Unit.IMAGES: 1, Unit.INPUT_TOKENS: 7, Unit.OUTPUT_TOKENS: 4175}


def test_an_image_that_does_not_tell_its_cost(png: bytes) -> None:
    data = {"data": [{"b64_json": base64.b64encode(png).decode()}]}
    assert IMAGE.parse_reply(reply(data)).cost_request is None
    assert IMAGE.parse_reply(reply(data, **HEADERS)).cost_request == Request("GET", "/generation?id=gen-tts-1")


@pytest.mark.parametrize(
    "document",
    [
        {"data": []},
        {"data": [{"b64_json": base64.b64encode(b"<html></html>").decode()}], "usage": {"cost": 0.04}},
        {"data": [{"url": "https://example.org/a.png"}]},
        {"data": "x"},
        [],
    ],
)
def test_a_reply_without_an_image_may_have_been_charged(document: object) -> None:
    with pytest.raises(ProviderAmbiguous):
        IMAGE.parse_reply(reply(document))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply({"error": {"code": 502, "message": "Generation failed"}}, 502), ProviderUnavailable),
        (Reply(502, {"content-type": "text/html"}, b"<html>Bad gateway</html>"), ProviderAmbiguous),
        (reply({"error": {"code": 502, "message": "Failed"}, "usage": {"cost": 0.04}}, 502), ProviderAmbiguous),
        (reply({"error": {"code": 502, "message": "Failed"}}), ProviderAmbiguous),
        (reply({"error": {"code": 500, "message": "Failed"}}, 500), ProviderAmbiguous),
        (
            reply({"error": {"code": 400, "metadata": {"error_type": "content_policy_violation"}}}, 400),
            ProviderRejected,
        ),
    ],
)
def test_only_a_502_of_its_own_says_that_an_image_was_free(answer: Reply, kind: type[ProviderError]) -> None:
    with pytest.raises(kind) as raised:
        IMAGE.parse_reply(answer)
    assert type(raised.value) is kind


@pytest.mark.parametrize(("ours", "theirs"), [("wav", "pcm"), ("mp3", "mp3"), ("opus", "mp3")])
def test_speech_with_all_options(ours: str, theirs: str) -> None:
    options = {"voice": "nova", "speed": 1.5}
    assert set(SPEECH.options) == {*options, "format"}
    call = ProviderCall("m", "Hello", None, {**options, "format": ours}, {"instructions": "Whisper."})
    assert SPEECH.build_request(call) == Request(
        "POST",
        "/audio/speech",
        json={"model": "m", "input": "Hello", "response_format": theirs, **options, "instructions": "Whisper."},
    )


@pytest.mark.parametrize(
    ("model", "voice"),
    [("hexgrad/kokoro-82m", "af_heart"), ("openai/gpt-4o-mini-tts-2025-12-15", "alloy"), ("m", None)],
)
def test_models_that_need_a_voice_get_one(model: str, voice: str | None) -> None:
    assert SPEECH.build_request(ProviderCall(model, "Hello")).json.get("voice") == voice
    assert SPEECH.build_request(ProviderCall(model, "Hello", None, {"voice": "x"})).json["voice"] == "x"


def test_speech_asks_for_its_cost() -> None:
    done = SPEECH.parse_reply(Reply(200, {"content-type": "audio/mpeg", **HEADERS}, MP3))
    assert done == Done(media=Media(MP3, "audio/mpeg"), cost_request=Request("GET", "/generation?id=gen-tts-1"))
    assert SPEECH.parse_reply(Reply(200, {}, MP3)).cost_request is None


@pytest.mark.parametrize(
    ("media_type", "rate", "channels"),
    [
        ("audio/pcm", 24_000, 1),
        ("audio/pcm;rate=16000;channels=2", 16_000, 2),
        ('audio/pcm; channels="1"; rate="44100"', 44_100, 1),
        ("audio/pcm;rate=0;channels=99", 24_000, 1),
        ("audio/pcm;rate=many", 24_000, 1),
        ("audio/pcm;rate=²", 24_000, 1),
    ],
)
def test_pcm_gets_the_header_of_a_wav_file(media_type: str, rate: int, channels: int) -> None:
    samples = b"\xff\xfb\x90\x00" * 50  # which looks like MP3
    media = SPEECH.parse_reply(Reply(200, {"content-type": media_type}, samples + b"\x01")).media
    assert media is not None
    assert media.media_type == "audio/wav"
    with wave.open(io.BytesIO(media.data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (rate, channels, 2)
        assert file.readframes(10_000) == samples


def test_a_wav_file_that_is_called_pcm_stays_as_it_is(wav: bytes) -> None:
    assert SPEECH.parse_reply(Reply(200, {"content-type": "audio/pcm"}, wav)).media == Media(wav, "audio/wav")


@pytest.mark.parametrize(
    "answer",
    [
        Reply(200, {"content-type": "audio/pcm"}, b"\x00"),
        Reply(200, {"content-type": "audio/mpeg"}, b""),
        Reply(200, {"content-type": "text/html"}, b"<html></html>"),
        reply({"text": "no audio"}),
        reply({"error": {"code": 502, "message": "Broken"}}),
    ],
)
def test_a_reply_without_audio_may_have_been_charged(answer: Reply) -> None:
    with pytest.raises(ProviderAmbiguous):
        SPEECH.parse_reply(answer)


def test_a_transcription_with_all_options() -> None:
    options = {"language": "pt-BR", "timestamps": "word"}
    call = ProviderCall("m", "", Media(b"abc", "audio/mpeg"), options, {"temperature": 0})
    assert set(TRANSCRIPTION.options) == set(options)
    body = {"model": "m", "input_audio": {"data": "YWJj", "format": "mp3"}, "language": "pt", "temperature": 0}
    assert TRANSCRIPTION.build_request(call) == Request("POST", "/audio/transcriptions", json=body)


@pytest.mark.parametrize(
    ("timestamps", "granularities"), [(None, None), ("segment", None), ("word", ["segment", "word"])]
)
def test_models_that_tell_times_are_asked_for_them(timestamps: str | None, granularities: list[str] | None) -> None:
    options = {"timestamps": timestamps} if timestamps else {}
    body = TRANSCRIPTION.build_request(
        ProviderCall("openai/whisper-large-v3", "", Media(b"abc", "audio/wav"), options)
    ).json
    assert (body["response_format"], body.get("timestamp_granularities")) == ("verbose_json", granularities)


def test_a_transcription() -> None:
    usage = {"seconds": 9.2, "input_tokens": 83, "output_tokens": 30, "total_tokens": 113, "cost": 0.000508}
    document = {
        "text": "Hello there.",
        "usage": usage,
        "segments": [{"id": 0, "start": 0, "end": 1.5, "text": " Hello there."}],
        "words": [{"start": 0.1, "end": 0.5, "word": "Hello"}, {"start": 0.6, "end": 1.5, "word": "there."}],
    }
    done = TRANSCRIPTION.parse_reply(reply(document))
    assert (done.text, done.cost) == ("Hello there.", Money(508))
    assert done.segments == (Segment(0, 1.5, "Hello there."),)
    assert done.words == (Segment(0.1, 0.5, "Hello"), Segment(0.6, 1.5, "there."))
    assert str(done.quantities[Unit.AUDIO_SECONDS]) == "9.2"


def test_silence_is_final_and_has_its_cost() -> None:
    with pytest.raises(ProviderRejected, match="No speech") as raised:
        TRANSCRIPTION.parse_reply(reply({"text": " ", "usage": {"cost": 0.000508}}))
    assert raised.value.cost == 508


def test_an_error_within_a_transcription_of_200() -> None:
    with pytest.raises(ProviderAmbiguous, match="Broken"):
        TRANSCRIPTION.parse_reply(reply({"error": {"code": 500, "message": "Broken"}}))
