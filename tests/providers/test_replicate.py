"""Replicate: exact requests, every status of a prediction, outputs and errors of every kind."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis.domain.attempt import ProviderClass
from genesis.domain.quantity import Unit
from genesis.domain.transcript import Segment
from genesis.errors import (
    ModelUnavailable,
    ProviderAmbiguous,
    ProviderError,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
    ResultLost,
)
from genesis.net.exchange import FormFile, Reply, Request
from genesis.providers.base import Done, Media, OverAndFree, Pending, ProviderCall, UploadingAdapter
from genesis.providers.options import warnings_of
from genesis.providers.replicate import STATES, State, provider
from genesis.settings import Settings

ID = "q7tb30dn95rm80cfzgfatkzz0g"
VERSION = "8099696689d249cf8b122d833c36ac3f75505c666a395ca40ef26f68e7d3d16e"
PNG = Media(b"\x89PNG\r\n\x1a\n", "image/png")
WAV = Media(b"RIFF....WAVE", "audio/wav")
PNG_URL, WAV_URL = "data:image/png;base64,iVBORw0KGgo=", "data:audio/wav;base64,UklGRi4uLi5XQVZF"


def row(**settings):
    return provider(Settings(**settings))


def adapter(capability="text"):
    return row().services[capability].adapter


def prediction(status="succeeded", **fields):
    return {"id": ID, "model": "o/n", "version": "hidden", "status": status, "output": None, "error": None, **fields}


def reply(document, status=200, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Reply(status, {"content-type": "application/json", **named}, body)


def built(capability, model="o/n", **call):
    return adapter(capability).build_request(ProviderCall(model, **call))


def test_the_row() -> None:
    one = row(replicate_api_token="r8_secret")
    assert (one.base_url, one.provider_class, one.missing) == ("https://api.replicate.com", ProviderClass.HANDLE, "")
    assert one.headers == {"Authorization": "Bearer r8_secret"}
    assert one.check == Request("GET", "/v1/account")
    assert (row().missing, row().key_variable) == ("REPLICATE_API_TOKEN is not set", "REPLICATE_API_TOKEN")
    assert set(one.services) == {"text", "image", "image_transform", "speech", "transcription"}
    assert all(service.any_model for service in one.services.values())
    assert "secret" not in repr(one)


def test_a_create_waits_for_nothing() -> None:
    """The id has to be known early: see the module."""
    assert built("text", text="hi").headers == {}


@pytest.mark.parametrize(
    ("model", "url", "body"),
    [
        ("meta/meta-llama-3-8b-instruct", "/v1/models/meta/meta-llama-3-8b-instruct/predictions", {}),
        ("black-forest-labs/flux-1.1-pro", "/v1/models/black-forest-labs/flux-1.1-pro/predictions", {}),
        (VERSION, "/v1/predictions", {"version": VERSION}),
        (f"openai/whisper:{VERSION}", "/v1/predictions", {"version": f"openai/whisper:{VERSION}"}),
    ],
)
def test_official_models_and_versions(model, url, body) -> None:
    assert built("text", model, text="hi") == Request("POST", url, json={**body, "input": {"prompt": "hi"}})


@pytest.mark.parametrize(
    "model", ["llama", "a/b/c", "../x", "a/..", "a/b?c", "https://h/x", VERSION[:-1], "a/b: c", "/a/b"]
)
def test_what_is_no_name_is_not_asked_for(model) -> None:
    with pytest.raises(ProviderRejected, match="not a model's name"):
        built("text", model, text="hi")


def test_text_with_all_options() -> None:
    options = {
        "system": "be brief",
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 64,
        "stop": ["END", "\n\n"],
        "seed": 7,
    }
    request = built("text", text="hi", options=options, provider_options={"top_k": 40, "prompt": "over"})
    named = {"prompt": "over", "system_prompt": "be brief", "temperature": 0.5, "top_p": 0.9, "max_tokens": 64}
    assert request.json == {"input": {**named, "seed": 7, "stop_sequences": "END,\n\n", "top_k": 40}}
    with pytest.raises(ProviderRejected, match="comma"):
        built("text", text="hi", options={"stop": ["a,b"]})


def test_an_image_with_all_options() -> None:
    options = {"style": "oil", "quality": "draft", "aspect_ratio": "16:9", "seed": 7}
    request = built("image", text="a cat", options=options, provider_options={"output_format": "png"})
    named = {
        "prompt": "a cat, oil style",
        "megapixels": "0.25",
        "aspect_ratio": "16:9",
        "seed": 7,
        "output_format": "png",
    }
    assert request.json == {"input": named}


@pytest.mark.parametrize(
    ("model", "named"),
    [
        ("black-forest-labs/flux-kontext-pro", {"input_image": PNG_URL}),
        ("google/nano-banana", {"image_input": [PNG_URL]}),
        ("black-forest-labs/flux-2-pro", {"input_images": [PNG_URL]}),
        ("stability-ai/sdxl", {"image": PNG_URL}),
    ],
)
def test_an_image_transformation_names_the_image_as_its_model_does(model, named) -> None:
    request = built("image_transform", model, media=PNG, options={"style": "oil", "prompt": "add a hat", "seed": 1})
    assert request.json == {"input": {**named, "prompt": "add a hat, oil style", "seed": 1}}


def test_speech() -> None:
    options = {"voice": "Wise_Woman", "language": "de", "speed": 1.5}
    named = {"text": "hello", "voice_id": "Wise_Woman", "language_boost": "German", "speed": 1.5}
    assert built("speech", text="hello", options=options).json == {"input": named}
    table = adapter("speech").options
    assert warnings_of("replicate", table, {"language": "de"}) == ()
    (warning,) = warnings_of("replicate", table, {"language": "la"})
    assert "`language` with the value la" in warning


def test_a_transcription() -> None:
    request = built("transcription", media=WAV, options={"language": "pt-BR"})
    assert request.json == {"input": {"audio": WAV_URL, "language": "pt"}}


def test_a_file_goes_with_the_call_or_before_it() -> None:
    small, large = Media(bytes(190_000), "audio/wav"), Media(bytes(200_000), "audio/wav")
    one = adapter("transcription")
    assert isinstance(one, UploadingAdapter)
    assert one.build_upload(ProviderCall("o/n", media=small)) is None
    assert one.build_upload(ProviderCall("o/n", text="hi")) is None
    upload = one.build_upload(ProviderCall("o/n", media=large))
    assert upload == Request("POST", "/v1/files", form={"content": FormFile("input.wav", "audio/wav", large.data)})
    url = one.parse_upload(reply({"id": "f", "urls": {"get": "https://api.replicate.com/v1/files/f"}}, 201))
    call = ProviderCall("o/n", media=large, media_url=url)
    assert one.build_request(call).json == {"input": {"audio": "https://api.replicate.com/v1/files/f"}}


@pytest.mark.parametrize(
    "document", [{}, {"urls": {}}, {"urls": {"get": 7}}, {"urls": {"get": "ftp://x"}}, [], b"<html>"]
)
def test_an_upload_without_an_address_is_an_error(document) -> None:
    with pytest.raises(ProviderAmbiguous):
        adapter("transcription").parse_upload(reply(document, 201))


def test_an_upload_that_is_refused_is_an_error() -> None:
    with pytest.raises(ProviderMisconfigured):
        adapter("transcription").parse_upload(reply({"detail": "no"}, 401))


@pytest.mark.parametrize("status", [name for name, state in STATES.items() if state is State.UNDER_WAY])
@pytest.mark.parametrize("code", [200, 201, 202])
def test_a_prediction_under_way_is_asked_for_by_its_id(status, code) -> None:
    urls = {"get": "https://evil.example/v1/predictions/x", "cancel": "https://evil.example/cancel"}
    path = f"/v1/predictions/{ID}"
    expected = Pending(Request("GET", path), 1.0, cancel=Request("POST", f"{path}/cancel"))
    assert adapter().parse_reply(reply(prediction(status, urls=urls), code)) == expected


@pytest.mark.parametrize("given_id", [None, 7, "", "a/b", "../account", "x" * 65, "a b"])
def test_a_prediction_without_an_id_is_in_doubt(given_id) -> None:
    with pytest.raises(ProviderAmbiguous):
        adapter().parse_reply(reply(prediction("starting", id=given_id), 201))


@pytest.mark.parametrize(
    ("status", "kind"),
    [("failed", ProviderRejected), ("canceled", ProviderRejected), ("aborted", OverAndFree)],
)
def test_a_prediction_that_ended_without_a_result(status, kind) -> None:
    with pytest.raises(ProviderError, match="out of memory") as failed:
        adapter().parse_reply(reply(prediction(status, error="out of memory")))
    assert type(failed.value) is kind
    assert status in failed.value.message


@pytest.mark.parametrize("status", ["queued", "", None, 7, ["succeeded"], {}])
def test_a_status_that_nobody_knows_is_in_doubt(status) -> None:
    with pytest.raises(ProviderAmbiguous):
        adapter().parse_reply(reply({**prediction(), "status": status}))


def done(capability, output, **fields):
    return adapter(capability).parse_reply(reply(prediction(output=output, **fields)))


@pytest.mark.parametrize(
    "output", [["an", " answer"], "an answer", {"text": "an answer"}, {"output": ["an ", "answer"]}]
)
def test_text_of_every_form(output) -> None:
    assert done("text", output).text == "an answer"


@pytest.mark.parametrize("output", [None, [], "", " ", {}, 7, [7], {"text": 7}])
def test_an_answer_without_text_is_in_doubt(output) -> None:
    with pytest.raises(ProviderAmbiguous):
        done("text", output)


@pytest.mark.parametrize(
    "output",
    ["https://h/1.png", ["https://h/1.png"], {"image": "https://h/1.png"}, {"images": [{"url": "https://h/1.png"}]}],
)
@pytest.mark.parametrize("capability", ["image", "image_transform"])
def test_images_of_every_form(capability, output) -> None:
    result = done(capability, output)
    assert result == Done(media_url="https://h/1.png", quantities={Unit.IMAGES: Decimal(1)})


def test_several_images_are_counted() -> None:
    several = done("image", ["https://h/1.png", "https://h/2.png"])
    assert several.quantities == {Unit.IMAGES: Decimal(2)}
    assert several.warnings == ("The provider made 2 images; the first was kept.",)


def test_a_file_within_the_output() -> None:
    assert done("image", [PNG_URL]).media == PNG
    assert done("speech", WAV_URL).media == WAV
    assert done("speech", {"audio": WAV_URL, "duration": 1}).media == WAV


@pytest.mark.parametrize(
    "output", [None, "", [], {}, "x", ["x"], 7, {"image": 7}, "data:image/png;base64,AAAA", WAV_URL]
)
def test_an_output_without_an_image_is_in_doubt(output) -> None:
    with pytest.raises(ProviderAmbiguous):
        done("image", output)


def test_a_transcription_with_its_segments() -> None:
    segments = [{"id": 0, "start": 0, "end": 1.5, "text": " Hello."}]
    result = done("transcription", {"transcription": " Hello.", "segments": segments, "detected_language": "english"})
    assert (result.text, result.segments) == ("Hello.", (Segment(0.0, 1.5, "Hello."),))
    chunks = [{"timestamp": [0, 2], "text": " Hello."}]
    assert done("transcription", {"text": " Hello.", "chunks": chunks}).segments == (Segment(0.0, 2.0, "Hello."),)
    assert done("transcription", ["Hel", "lo."]).text == "Hello."
    with pytest.raises(ProviderRejected, match="No speech"):
        done("transcription", {"transcription": ""})
    with pytest.raises(ProviderAmbiguous):
        done("transcription", {"segments": []})


def test_what_was_used_is_told() -> None:
    metrics = {
        "predict_time": 1.25,
        "total_time": 2,
        "input_token_count": 3,
        "output_token_count": 4,
        "image_count": None,
    }
    result = done("text", "hi", metrics=metrics)
    assert result.quantities == {
        Unit.COMPUTE_SECONDS: Decimal("1.25"),
        Unit.INPUT_TOKENS: Decimal(3),
        Unit.OUTPUT_TOKENS: Decimal(4),
    }
    assert result.usage == {**metrics}
    for odd in (None, [], "x", {"predict_time": -1}, {"predict_time": "x"}, {"predict_time": True}):
        assert done("text", "hi", metrics=odd).quantities == {}


def test_a_result_that_was_removed_is_in_doubt() -> None:
    with pytest.raises(ResultLost, match="removed"):
        done("image", None, data_removed=True)


def test_a_prediction_that_is_gone_is_in_doubt() -> None:
    with pytest.raises(ProviderAmbiguous, match="does not know /v1/predictions/x"):
        adapter().parse_poll(Request("GET", "/v1/predictions/x"), reply({"detail": "not found"}, 404))


@pytest.mark.parametrize(
    ("status", "document", "kind", "says", "wait"),
    [
        (401, {"title": "Unauthenticated", "detail": "no token"}, ProviderMisconfigured, "REPLICATE_API_TOKEN", None),
        (402, {"detail": "Insufficient credit"}, ProviderMisconfigured, "credit", None),
        (404, {"detail": "not found"}, ModelUnavailable, "version", None),
        (422, {"detail": "- input.prompt: required", "invalid_fields": []}, ProviderRejected, "", None),
        (429, {"detail": "Request was throttled.", "retry_after": 9}, ProviderRateLimited, "", 9),
        (500, {}, ProviderAmbiguous, "", None),
        (502, b"<html>", ProviderAmbiguous, "", None),
        (503, {}, ProviderUnavailable, "", None),
    ],
)
def test_errors_of_a_create(status, document, kind, says, wait) -> None:
    with pytest.raises(ProviderError) as failed:
        adapter().parse_reply(reply(document, status))
    assert type(failed.value) is kind
    assert says in failed.value.hint
    assert failed.value.retry_after == wait


OUTPUTS = st.recursive(
    st.one_of(
        st.none(), st.integers(), st.booleans(), st.sampled_from(["x", "https://h/a", PNG_URL, "data:,", "\ud800"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["text", "image", "audio", "transcription", "segments", "start"]), inner),
    ),
    max_leaves=10,
)


@given(status=st.sampled_from([*STATES, "x"]), output=OUTPUTS, metrics=OUTPUTS)
def test_whatever_a_prediction_holds_is_understood_or_refused(status, output, metrics) -> None:
    for capability in row().services:
        try:
            answer = adapter(capability).parse_reply(reply(prediction(status, output=output, metrics=metrics)))
        except ProviderError:
            continue
        assert isinstance(answer, Done | Pending)
        if isinstance(answer, Done):
            assert [answer.text, answer.media, answer.media_url].count(None) == 2
