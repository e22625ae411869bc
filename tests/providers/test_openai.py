"""OpenAI: exact requests for every option, and what its replies are read as."""

import base64
import io
import json
import wave
from dataclasses import replace
from decimal import Decimal

import pytest
from pydantic import SecretStr

from genesis.domain.attempt import ProviderClass
from genesis.domain.quantity import Unit
from genesis.errors import (
    ModelUnavailable,
    ProviderAmbiguous,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
)
from genesis.net.exchange import FormFile, Reply, Request
from genesis.providers.base import Media, ProviderCall, Segment
from genesis.providers.openai import provider
from genesis.providers.options import honored, warnings_of
from genesis.settings import Settings

ROW = provider(Settings(openai_api_key=SecretStr("sk-abcdefgh")))
MESSAGES = [{"role": "user", "content": "hi"}]
JPEG = Media(b"\xff\xd8\xff", "image/jpeg")
AUDIO = Media(b"RIFF", "audio/wav")
JSON = {"content-type": "application/json"}


def adapter(capability):
    return ROW.services[capability].adapter


def request(capability, *, model="m", text="hi", media=None, provider_options=None, **options):
    call = ProviderCall(model, text, media, options, provider_options or {})
    return adapter(capability).build_request(call)


def reply(document, status=200, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, {**JSON, **named}, json.dumps(document).encode())


def failed(status, code=None, message="It said no.", **headers):
    error = {"message": message, "type": "some_error", "param": None, "code": code}
    return reply({"error": error}, status, **headers)


def error(kind, reply, capability="text"):
    with pytest.raises(kind) as raised:
        adapter(capability).parse_reply(reply)
    assert type(raised.value) is kind
    return raised.value


def completion(text="Hello.", finish_reason="stop", **more):
    message = {"role": "assistant", "content": text, "refusal": None}
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish_reason}], **more}


def test_the_row():
    assert (ROW.name, ROW.base_url) == ("openai", "https://api.openai.com/v1")
    assert ROW.headers == {"Authorization": "Bearer sk-abcdefgh"}
    assert (ROW.provider_class, ROW.key_variable) == (ProviderClass.OPAQUE, "OPENAI_API_KEY")
    assert ROW.check == Request("GET", "/models")
    assert "sk-" not in repr(ROW)
    assert provider(Settings()).missing == "OPENAI_API_KEY is not set"
    assert set(ROW.services) == {"text", "image", "image_transform", "speech", "transcription"}


@pytest.mark.parametrize("model", ["dall-e-3", "gpt-image-1", "tts-1", "gpt-4o-mini-transcribe", "gpt-4o-mini"])
def test_models_that_are_gone_or_going_are_no_defaults(model):
    assert all(model != service.models[0] for service in ROW.services.values())


def test_a_chat_with_every_option():
    options = {"system": "Be brief.", "examples": [{"text": "1", "answer": "one"}], "max_tokens": 50, "stop": ["x"]}
    built = request("text", model="gpt-6-luna", **options, temperature=0.5, top_p=0.9, seed=7)
    assert built == Request(
        "POST",
        "/chat/completions",
        json={
            "model": "gpt-6-luna",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "1"},
                {"role": "assistant", "content": "one"},
                *MESSAGES,
            ],
            "max_completion_tokens": 50,
            "stop": ["x"],
            "temperature": 0.5,
            "top_p": 0.9,
            "seed": 7,
        },
    )


def test_a_stream_asks_for_its_usage():
    call = ProviderCall("gpt-6-luna", "hi", provider_options={"reasoning_effort": "none"})
    assert adapter("text").build_stream(call).json == {
        "model": "gpt-6-luna",
        "messages": MESSAGES,
        "reasoning_effort": "none",
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    without = ProviderCall("gpt-6-luna", "hi", provider_options={"stream_options": None})
    assert adapter("text").build_stream(without).json["stream_options"] is None


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ({}, {"size": "1024x1024"}),
        ({"quality": "draft"}, {"size": "1024x1024", "quality": "low"}),
        ({"quality": "standard", "aspect_ratio": "16:9"}, {"size": "1536x864", "quality": "medium"}),
        ({"quality": "high", "aspect_ratio": "9:16"}, {"size": "864x1536", "quality": "high"}),
        ({"aspect_ratio": "3:2"}, {"size": "1536x1024"}),
        ({"style": "watercolor"}, {"size": "1024x1024", "prompt": "a cat, watercolor style"}),
    ],
)
def test_images(options, fields):
    body = {"model": "gpt-image-2.5-flare", "prompt": "a cat", **fields}
    built = request("image", model="gpt-image-2.5-flare", text="a cat", **options)
    assert built == Request("POST", "/images/generations", json=body)


def test_sizes_are_those_that_were_asked_for():
    for ratio, size in adapter("image").options["aspect_ratio"].values.items():
        width, height = map(int, size.split("x"))
        across, down = map(int, ratio.split(":"))
        assert width * down == height * across
        assert width % 16 == height % 16 == 0
        assert width * height >= 655_360


@pytest.mark.parametrize("model", ["gpt-image-1-mini", "gpt-image-1.5", "chatgpt-image-latest"])
def test_older_image_models_have_three_sizes(model):
    assert request("image", model=model, aspect_ratio="2:3").json["size"] == "1024x1536"
    with pytest.raises(ProviderRejected, match="1:1, 3:2 and 2:3 only"):
        request("image", model=model, aspect_ratio="16:9")


def test_an_image_out_of_an_image():
    more = {"background": "opaque", "output_format": "webp", "output_compression": 50}
    built = request("image_transform", text="", media=JPEG, style="watercolor", provider_options=more)
    assert built == Request(
        "POST",
        "/images/edits",
        form={
            "model": "m",
            "prompt": "Redraw this image in watercolor style. Keep its subject and composition.",
            "background": "opaque",
            "output_format": "webp",
            "output_compression": "50",
            "image": FormFile("image.jpg", "image/jpeg", JPEG.data),
        },
    )
    told = request("image_transform", media=JPEG, style="watercolor", prompt="Add a hat.")
    assert told.form["prompt"] == "Add a hat, watercolor style"


def test_an_image_that_cannot_be_edited():
    with pytest.raises(ProviderRejected, match="cannot edit image/gif") as raised:
        request("image_transform", media=Media(b"GIF89a", "image/gif"), style="x")
    assert "PNG" in raised.value.hint
    with pytest.raises(ProviderRejected, match="must be told what to change"):
        request("image_transform", media=JPEG)


def test_speech():
    body = {"model": "m", "input": "hello", "voice": "alloy", "response_format": "mp3"}
    assert request("speech", text="hello") == Request("POST", "/audio/speech", json=body)
    more = {"instructions": "Whisper.", "response_format": "wav"}
    built = request("speech", text="hello", voice="coral", speed=1.5, provider_options=more)
    assert built.json == {**body, "voice": "coral", "speed": 1.5, **more}
    assert ROW.services["speech"].longest_text == 4096


def test_transcription():
    built = request("transcription", model="gpt-transcribe", media=AUDIO, language="pt-BR")
    file = FormFile("file.wav", "audio/wav", b"RIFF")
    form = {"model": "gpt-transcribe", "response_format": "json", "language": "pt", "file": file}
    assert built == Request("POST", "/audio/transcriptions", form=form)
    whisper = request("transcription", model="whisper-1", media=AUDIO, provider_options={"temperature": 0.2})
    assert whisper.form == {
        "model": "whisper-1",
        "response_format": "verbose_json",
        "temperature": "0.2",
        "timestamp_granularities[]": ("word", "segment"),
        "file": file,
    }


def test_audio_that_cannot_be_transcribed():
    with pytest.raises(ProviderRejected, match="cannot transcribe audio/aac"):
        request("transcription", media=Media(b"", "audio/aac"))


@pytest.mark.parametrize(
    ("capability", "options"),
    [
        ("text", {"stream": True}),
        ("image", {"n": 2}),
        ("image", {"stream": True}),
        ("image_transform", {"n": 2}),
        ("speech", {"stream_format": "sse"}),
        ("transcription", {"stream": True}),
        ("transcription", {"response_format": "srt"}),
    ],
)
def test_what_could_not_be_read_is_not_asked_for(capability, options):
    media = {"image_transform": JPEG, "transcription": AUDIO}.get(capability)
    style = {"style": "x"} if capability == "image_transform" else {}
    with pytest.raises(ProviderRejected) as raised:
        request(capability, media=media, provider_options=options, **style)
    assert "provider_options" in raised.value.hint


def test_what_cannot_be_honored_is_told():
    given = {"seed": 1, "negative_prompt": "dogs", "aspect_ratio": "1:1"}
    assert len(warnings_of("openai", adapter("image").options, given)) == 2
    assert honored(adapter("image").options, given) == {"aspect_ratio": "1:1"}
    assert warnings_of("openai", adapter("image_transform").options, {"strength": 0.5, "style": "x"}) == (
        "openai cannot honor `strength`; it was left out.",
    )


def test_an_answer():
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    done = adapter("text").parse_reply(reply(completion(model="gpt-6-luna-2026-09-01", usage=usage)))
    assert (done.text, done.model, done.cost, done.usage) == ("Hello.", "gpt-6-luna-2026-09-01", None, usage)
    assert done.quantities == {Unit.INPUT_TOKENS: Decimal(3), Unit.OUTPUT_TOKENS: Decimal(4)}


@pytest.mark.parametrize(
    ("written", "cost"),
    [("2.3199999999999998e-05", 23), ("7e-06", 7), ("0.04", 40_000), ("0.0", None), ("None", None), ("-1", None)],
)
def test_the_cost_that_litellm_tells(written, cost):
    told = {"x_litellm_response_cost": written}
    assert adapter("text").parse_reply(reply(completion(), **told)).cost == cost
    assert error(ProviderAmbiguous, reply(completion(""), **told)).cost == cost
    assert error(ProviderAmbiguous, failed(500, **told)).cost == cost


def test_the_cost_in_a_body_comes_first():
    told = reply(completion(usage={"cost": 0.5}), x_litellm_response_cost="0.04")
    assert adapter("text").parse_reply(told).cost == 500_000


def test_zeros_of_a_proxy_are_no_quantities(png):
    data = [{"b64_json": base64.b64encode(png).decode(), "url": None}]
    usage = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    done = adapter("image").parse_reply(reply({"data": data, "usage": usage}))
    assert (done.media.media_type, done.quantities) == ("image/png", {Unit.IMAGES: Decimal(1)})


def test_an_image(png):
    data = [{"b64_json": base64.b64encode(png).decode()}]
    usage = {"input_tokens": 7, "output_tokens": 272}
    done = adapter("image_transform").parse_reply(reply({"data": data, "usage": usage}))
    assert done.media == Media(png, "image/png")
    assert done.quantities == {Unit.IMAGES: 1, Unit.INPUT_TOKENS: 7, Unit.OUTPUT_TOKENS: 272}


def test_a_transcription_with_times():
    document = {
        "text": " What was said. ",
        "duration": 9.2,
        "usage": {"type": "duration", "seconds": 10},
        "segments": [{"start": 0, "end": 1.5, "text": " What was said."}, {"start": None}, "x"],
        "words": [{"start": 0.0, "end": 0.5, "word": "What"}, {"start": 0.5, "end": 1, "word": ""}],
    }
    done = adapter("transcription").parse_reply(reply(document))
    assert done.text == "What was said."
    assert done.segments == (Segment(0.0, 1.5, "What was said."),)
    assert done.words == (Segment(0.0, 0.5, "What"),)
    assert done.quantities == {Unit.AUDIO_SECONDS: Decimal(10)}
    del document["usage"]
    assert adapter("transcription").parse_reply(reply(document)).quantities == {Unit.AUDIO_SECONDS: Decimal("9.2")}


@pytest.mark.parametrize(
    ("media_type", "rate", "channels"),
    [("audio/pcm", 24_000, 1), ("audio/pcm;rate=16000; channels=2", 16_000, 2), ("audio/pcm;rate=9999999", 24_000, 1)],
)
def test_bare_samples_become_a_file(media_type, rate, channels):
    samples = bytes(range(240))
    done = adapter("speech").parse_reply(Reply(200, {"content-type": media_type}, samples + b"\0"))
    assert done.media.media_type == "audio/wav"
    with wave.open(io.BytesIO(done.media.data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (rate, channels, 2)
        assert file.readframes(file.getnframes()) == samples


def test_a_file_that_is_called_samples(wav):
    done = adapter("speech").parse_reply(Reply(200, {"content-type": "audio/pcm"}, wav))
    assert done.media.data == wav


@pytest.mark.parametrize("capability", ["text", "image", "image_transform", "speech", "transcription"])
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"data": []}'])
def test_a_success_without_a_result_is_in_doubt(capability, body):
    error(ProviderAmbiguous, Reply(200, {"content-type": "audio/pcm" if body else "text/html"}, body), capability)


@pytest.mark.parametrize(
    ("status", "code", "kind", "hint"),
    [
        (400, None, ProviderRejected, ""),
        (400, "moderation_blocked", ProviderRejected, "Change the prompt"),
        (400, "content_policy_violation", ProviderRejected, "Change the prompt"),
        (400, "context_length_exceeded", ProviderRejected, "Shorten the text"),
        (400, "billing_hard_limit_reached", ProviderMisconfigured, "Add credit"),
        (401, "invalid_api_key", ProviderMisconfigured, "Check OPENAI_API_KEY; `genesis-server check` tries it."),
        (403, "unsupported_country_region_territory", ProviderMisconfigured, "serves your country"),
        (403, "model_not_found", ProviderMisconfigured, "options.model"),
        (404, "model_not_found", ModelUnavailable, "Name another model"),
        (400, "unsupported_value", ModelUnavailable, "Leave that option out"),
        (400, "unsupported_parameter", ModelUnavailable, "Leave that option out"),
        (404, None, ModelUnavailable, "OPENAI_BASE_URL"),
        (408, None, ProviderAmbiguous, ""),
        (413, None, ProviderRejected, ""),
        (429, "rate_limit_exceeded", ProviderRateLimited, ""),
        (429, "insufficient_quota", ProviderMisconfigured, "Add credit"),
        (500, None, ProviderAmbiguous, ""),
        (500, "insufficient_quota", ProviderAmbiguous, "Add credit"),
        (502, None, ProviderAmbiguous, ""),
        (503, None, ProviderUnavailable, ""),
        (504, None, ProviderAmbiguous, ""),
    ],
)
def test_errors(status, code, kind, hint):
    raised = error(kind, failed(status, code))
    assert raised.message == f"The provider answered {status}: It said no."
    assert hint in raised.hint
    assert bool(hint) == bool(raised.hint)


def test_a_quota_by_its_type():
    error(ProviderMisconfigured, reply({"error": {"message": "No.", "type": "insufficient_quota"}}, 429))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"retry_after": "20"}, 20), ({"retry_after_ms": "1500"}, 1.5), ({"retry_after_ms": "x"}, None), ({}, None)],
)
def test_how_long_to_wait(headers, seconds):
    assert error(ProviderRateLimited, failed(429, **headers)).retry_after == seconds


def test_a_key_in_an_error_is_not_told():
    raised = error(
        ProviderMisconfigured, failed(401, "invalid_api_key", "Incorrect API key provided: sk-abcdefghijkl.")
    )
    assert "abcdefgh" not in raised.message


def test_an_error_in_a_success_is_in_doubt():
    for code in (None, "insufficient_quota", "rate_limit_exceeded"):
        error(ProviderAmbiguous, failed(200, code))
    for code in ("content_policy_violation", "model_not_found", "unsupported_value"):
        error(ProviderRejected, failed(200, code))


def test_an_error_in_a_stream():
    event = b'{"error": {"message": "The server had an error.", "type": "server_error"}}'
    with pytest.raises(ProviderAmbiguous, match="The server had an error"):
        adapter("text").parse_chunk(event)
    with pytest.raises(ProviderRejected, match="Blocked"):
        adapter("text").parse_chunk(b'{"error": {"message": "Blocked", "code": "content_filter"}}')


def test_a_stream():
    text = adapter("text")
    events = [
        b'{"model": "g", "choices": [{"index": 0, "delta": {"content": "Hel"}, "finish_reason": null}], "usage": null}',
        b'{"model": "g", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": null}',
        b'{"model": "g", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4, "cost": 0.000023}}',
        b"[DONE]",
    ]
    chunks = [text.parse_chunk(event) for event in events]
    assert [chunk.text for chunk in chunks] == ["Hel", "", "", ""]
    assert [chunk.finish_reason for chunk in chunks] == [None, "stop", None, None]
    assert chunks[3].last
    done = text.assemble(replace(chunks[2], text="Hello.", finish_reason="stop"))
    assert (done.text, done.cost) == ("Hello.", 23)
    assert done.quantities == {Unit.INPUT_TOKENS: 3, Unit.OUTPUT_TOKENS: 4}
