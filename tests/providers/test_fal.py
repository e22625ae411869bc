"""fal: exact requests, the queue from first to last, results and errors of every kind."""

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
)
from genesis.net.exchange import Reply, Request
from genesis.providers.base import Done, Media, OverAndFree, Pending, ProviderCall, options_of
from genesis.providers.fal import provider
from genesis.settings import Settings

HOST = "https://queue.fal.run"
REQUEST = f"{HOST}/fal-ai/flux/requests/764cabcf-b745"
URLS = {"response_url": REQUEST, "status_url": f"{REQUEST}/status", "cancel_url": f"{REQUEST}/cancel"}
QUEUED = {"status": "IN_QUEUE", "request_id": "764cabcf-b745", "queue_position": 3, **URLS}
UNDER_WAY = Pending(Request("GET", f"{REQUEST}/status"), 1.0, cancel=Request("PUT", f"{REQUEST}/cancel"))
PNG = Media(b"\x89PNG\r\n\x1a\n", "image/png")
WAV = Media(b"RIFF....WAVE", "audio/wav")


def row(**settings):
    return provider(Settings(**settings))


def adapter(capability="image", **settings):
    return row(**settings).services[capability].adapter


def reply(document, status=200, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Reply(status, {"content-type": "application/json", **named}, body)


def polled(document, status=200, *, url=f"{REQUEST}/status", capability="image", **headers):
    return adapter(capability).parse_poll(Request("GET", url), reply(document, status, **headers))


def built(capability, model="fal-ai/x/y", **call):
    return adapter(capability).build_request(ProviderCall(model, **call))


def test_the_key_is_tried_where_it_costs_nothing() -> None:
    one = row(fal_key="id:secret")
    assert one.check is not None
    assert (one.check.method, one.check.url in one.own_urls) == ("GET", True)
    assert row(fal_key="id:secret", fal_base_url="http://127.0.0.1:9").check is None


def test_the_row() -> None:
    one = row(fal_key="id:secret")
    assert (one.base_url, one.provider_class, one.missing) == (HOST, ProviderClass.HANDLE, "")
    assert one.headers == {"Authorization": "Key id:secret"}
    assert (row().missing, row().key_variable) == ("FAL_KEY is not set", "FAL_KEY")
    assert set(one.services) == {"image", "image_transform", "speech", "transcription"}
    assert all(service.any_model for service in one.services.values())
    assert "secret" not in repr(one)


def test_an_image_with_all_options() -> None:
    options = {"style": "oil", "quality": "draft", "aspect_ratio": "16:9", "seed": 7}
    request = built("image", "fal-ai/flux/dev", text="a cat", options=options, provider_options={"num_images": 2})
    body = {"prompt": "a cat, oil style", "image_size": {"width": 672, "height": 384}, "seed": 7, "num_images": 2}
    assert request == Request("POST", "/fal-ai/flux/dev", json=body)


def test_provider_options_are_laid_over_the_input() -> None:
    request = built("image", text="a cat", provider_options={"image_size": {"width": 64}, "prompt": "a dog"})
    assert request.json == {"prompt": "a dog", "image_size": {"width": 64, "height": 1024}}


def test_an_image_transformation_names_the_image_both_ways() -> None:
    url = "data:image/png;base64,iVBORw0KGgo="
    options = {"style": "oil", "prompt": "add a hat", "strength": 0.5, "seed": 1}
    request = built("image_transform", "fal-ai/flux/dev/image-to-image", media=PNG, options=options)
    named = {"image_url": url, "image_urls": [url], "prompt": "add a hat, oil style", "strength": 0.5, "seed": 1}
    assert request.json == named
    styled = built("image_transform", media=PNG, options={"style": "oil"})
    assert styled.json["prompt"] == "Redraw this image in oil style. Keep its subject and composition."
    with pytest.raises(ProviderRejected, match="what to change"):
        built("image_transform", media=PNG)


@pytest.mark.parametrize(
    ("capability", "model", "without"),
    [
        ("image", "fal-ai/flux/dev", {"negative_prompt"}),
        ("image", "fal-ai/fast-sdxl", set()),
        ("image_transform", "fal-ai/flux/dev/image-to-image", {"negative_prompt"}),
        ("image_transform", "fal-ai/flux-2/klein/9b/edit", {"negative_prompt", "strength"}),
        ("image_transform", "fal-ai/fast-sdxl/image-to-image", set()),
    ],
)
def test_options_that_only_some_models_have(capability, model, without) -> None:
    one = adapter(capability)
    assert options_of(one, model).keys() == one.options.keys() - without


@pytest.mark.parametrize(
    ("model", "field"),
    [
        ("fal-ai/kokoro/american-english", "prompt"),
        ("fal-ai/playai/tts/v3", "input"),
        ("fal-ai/dia-tts", "text"),
        ("someone/else", "text"),
    ],
)
def test_speech_names_the_text_as_its_model_does(model, field) -> None:
    request = built("speech", model, text="hello", options={"voice": "af_heart", "speed": 1.5})
    assert request == Request("POST", f"/{model}", json={field: "hello", "voice": "af_heart", "speed": 1.5})


def test_a_transcription() -> None:
    request = built("transcription", media=WAV, options={"language": "pt-BR"}, provider_options={"task": "translate"})
    assert request.json == {
        "audio_url": "data:audio/wav;base64,UklGRi4uLi5XQVZF",
        "language": "pt",
        "task": "translate",
    }


@pytest.mark.parametrize(
    "model", ["flux", "/flux/dev", "fal-ai//x", "fal-ai/../x", "fal-ai/x?y=1", "https://h/a", "a/b c"]
)
def test_what_is_no_path_is_not_asked_for(model) -> None:
    with pytest.raises(ProviderRejected, match="not a model's path"):
        built("image", model, text="a cat")


def test_the_queue_from_first_to_last() -> None:
    image = adapter()
    assert image.parse_reply(reply(QUEUED)) == UNDER_WAY
    assert polled({**QUEUED, "status": "IN_PROGRESS", "logs": None}, 202) == UNDER_WAY
    complete = polled({**QUEUED, "status": "COMPLETED", "metrics": {}})
    assert complete == Pending(Request("GET", REQUEST), 0)
    made = {
        "images": [{"url": "https://v3.fal.media/a.png", "width": 1024, "height": 512}],
        "timings": {"inference": 1.5},
    }
    done = polled(made, url=REQUEST, x_fal_billable_units="0.5243")
    assert done == Done(
        media_url="https://v3.fal.media/a.png",
        usage={"inference": 1.5},
        quantities={
            Unit.IMAGES: Decimal(1),
            Unit.MEGAPIXELS: Decimal("0.524288"),
            Unit.PROVIDER_UNITS: Decimal("0.5243"),
        },
    )


def test_several_images_are_counted() -> None:
    made = {"images": [{"url": f"https://v3.fal.media/{name}.png", "width": 1024, "height": 512} for name in "ab"]}
    done = polled(made, url=REQUEST)
    assert done.quantities == {Unit.IMAGES: Decimal(2), Unit.MEGAPIXELS: Decimal("1.048576")}
    assert done.warnings == ("The provider made 2 images; the first was kept.",)


@pytest.mark.parametrize("status", ["IN_QUEUE", "IN_PROGRESS"])
def test_a_status_without_urls_is_known_by_its_request(status) -> None:
    assert polled({"status": status, "queue_position": 0}) == UNDER_WAY


def test_a_complete_status_without_urls_leads_to_the_result() -> None:
    assert polled({"status": "COMPLETED", "logs": None}).poll == Request("GET", REQUEST)


def test_urls_that_are_left_out_are_made_of_the_first() -> None:
    submitted = {"request_id": "764cabcf-b745", "response_url": REQUEST}
    assert adapter().parse_reply(reply(submitted)) == UNDER_WAY


@pytest.mark.parametrize(
    "url",
    [
        "https://queue.example/fal-ai/flux/requests/1",
        "http://queue.fal.run/fal-ai/flux/requests/1",
        "https://queue.fal.run:444/fal-ai/flux/requests/1",
        "https://queue.fal.run@queue.example/requests/1",
        "https://queue.fal.run/a/../../b",
        "https://queue.fal.run",
        "//queue.fal.run/a/requests/1",
        "https://[",
        "/fal-ai/flux/requests/1",
        "",
        None,
        7,
    ],
)
def test_a_url_of_somebody_else_is_not_asked(url) -> None:
    foreign = {"status": "IN_QUEUE", "response_url": url, "status_url": url, "cancel_url": url}
    with pytest.raises(ProviderAmbiguous, match="no address of its own"):
        adapter().parse_reply(reply(foreign))
    assert polled(foreign) == UNDER_WAY


def test_behind_a_proxy_the_path_alone_is_used() -> None:
    one = adapter(fal_base_url="http://127.0.0.1:4010/fal/")
    path = "/fal-ai/flux/requests/764cabcf-b745"
    pending = one.parse_reply(reply(QUEUED))
    assert pending == Pending(Request("GET", f"{path}/status"), 1.0, cancel=Request("PUT", f"{path}/cancel"))


@pytest.mark.parametrize(
    ("status", "document", "reason"),
    [
        (200, {**QUEUED, "status": "CANCELLED"}, "CANCELLED"),
        (200, {**QUEUED, "status": "FAILED", "error": {"message": "out of memory"}}, "out of memory"),
        (200, {**QUEUED, "status": "COMPLETED", "error": "not allowed", "error_type": "runner_error"}, "not allowed"),
        (200, {**QUEUED, "status": "COMPLETED", "error": "bad input", "error_type": ["request_timeout"]}, "bad input"),
        (200, {**QUEUED, "status": "COMPLETED", "error_type": "content_policy_violation"}, "content_policy"),
    ],
)
def test_a_request_that_was_given_up_is_not_sent_again(status, document, reason) -> None:
    with pytest.raises(ProviderRejected, match=reason):
        polled(document, status)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"error": "timed out", "error_type": "request_timeout"}, "timed out"),
        ({"error_type": "runner_disconnected"}, "runner_disconnected"),
    ],
)
def test_a_status_may_tell_that_a_request_is_over_and_not_charged(document, reason) -> None:
    with pytest.raises(OverAndFree, match=f"gave the request up: {reason}"):
        polled({**QUEUED, "status": "COMPLETED", **document})


@pytest.mark.parametrize("status", ["PAUSED", "", None, 7, ["COMPLETED"]])
def test_a_status_that_nobody_knows_is_in_doubt(status) -> None:
    with pytest.raises(ProviderAmbiguous):
        polled({**QUEUED, "status": status})


@pytest.mark.parametrize(
    ("status", "document", "headers"),
    [
        (422, {"detail": [{"loc": ["body", "prompt"], "msg": "not allowed", "type": "value_error"}]}, {}),
        (500, {"detail": [{"loc": ["body"], "msg": "not allowed", "type": "internal_server_error"}]}, {}),
        (422, {"detail": "not allowed", "error_type": "content_policy_violation"}, {}),
    ],
)
def test_an_error_in_place_of_the_result_is_the_last_word(status, document, headers) -> None:
    with pytest.raises(ProviderRejected, match="gave the request up: not allowed"):
        polled(document, status, url=REQUEST, **headers)


@pytest.mark.parametrize(
    ("status", "document", "headers"),
    [
        (503, {"detail": "no runner", "error_type": "runner_disconnected"}, {}),
        (504, {"detail": "no runner"}, {"x_fal_error_type": "request_timeout"}),
    ],
)
def test_a_failure_of_fals_own_machines_is_not_charged(status, document, headers) -> None:
    with pytest.raises(OverAndFree, match="gave the request up: no runner"):
        polled(document, status, url=REQUEST, **headers)


def test_an_error_of_a_gateway_in_place_of_the_result_is_not() -> None:
    for status in (502, 503):
        with pytest.raises(ProviderAmbiguous):
            polled(b"<html>", status, url=REQUEST)


def test_a_result_that_is_asked_for_too_early_is_asked_again() -> None:
    assert polled({"detail": "Request is still in progress"}, 400, url=REQUEST) == UNDER_WAY
    assert polled(QUEUED, 202, url=REQUEST) == UNDER_WAY


@pytest.mark.parametrize("url", [REQUEST, f"{REQUEST}/status"])
def test_a_request_that_is_gone_is_in_doubt(url) -> None:
    with pytest.raises(ProviderAmbiguous, match="does not know the request"):
        polled({"detail": "not found"}, 404, url=url)


@pytest.mark.parametrize(
    ("status", "document", "headers", "kind", "says"),
    [
        (401, {"detail": "Cannot access application"}, {}, ProviderMisconfigured, "FAL_KEY"),
        (403, {"detail": "User is locked. Reason: Exhausted balance."}, {}, ProviderMisconfigured, "credit"),
        (402, {"detail": "no money"}, {}, ProviderMisconfigured, "credit"),
        (404, {"detail": "Application 'x' not found"}, {}, ModelUnavailable, "fal.ai/models"),
        (422, {"detail": [{"msg": "field required"}]}, {}, ProviderRejected, ""),
        (429, {"detail": "slow down"}, {"retry_after": "5"}, ProviderRateLimited, ""),
        (503, {"detail": "busy"}, {}, ProviderUnavailable, ""),
        (503, b"upstream connect error or disconnect/reset before headers", {}, ProviderAmbiguous, ""),
        (500, {"detail": "oops", "error_type": "internal_error"}, {}, ProviderAmbiguous, ""),
        (502, {}, {}, ProviderAmbiguous, ""),
        (302, {}, {}, ProviderMisconfigured, ""),
    ],
)
def test_errors_of_a_submit(status, document, headers, kind, says) -> None:
    with pytest.raises(ProviderError) as failed:
        adapter().parse_reply(reply(document, status, **headers))
    assert type(failed.value) is kind
    assert says in failed.value.hint
    assert failed.value.retry_after == (5 if status == 429 else None)


@pytest.mark.parametrize(
    ("capability", "document", "url"),
    [
        ("image", {"images": [{"url": "https://h/1.png"}, {"url": "https://h/2.png"}]}, "https://h/1.png"),
        ("image", {"image": {"url": "https://h/1.png"}}, "https://h/1.png"),
        ("image_transform", {"images": ["https://h/1.png"]}, "https://h/1.png"),
        ("speech", {"audio": {"url": "https://h/1.wav"}}, "https://h/1.wav"),
        ("speech", {"audio_url": "https://h/1.wav"}, "https://h/1.wav"),
        ("speech", {"audio": {"url": "https://h/1.mp3"}, "status": "ok"}, "https://h/1.mp3"),
    ],
)
def test_files_of_every_form(capability, document, url) -> None:
    assert polled(document, url=REQUEST, capability=capability).media_url == url


def test_a_file_within_the_result() -> None:
    document = {"images": [{"url": "data:image/png;base64,iVBORw0KGgo="}]}
    assert polled(document, url=REQUEST).media == PNG


@pytest.mark.parametrize(
    "document",
    [{}, {"images": []}, {"images": [{}]}, {"image": "x"}, {"images": [{"url": "data:image/png;base64,AAAA"}]}],
)
def test_a_result_without_a_file_is_in_doubt(document) -> None:
    with pytest.raises(ProviderAmbiguous):
        polled(document, url=REQUEST)


def test_a_marked_image_carries_a_warning() -> None:
    document = {"images": [{"url": "https://h/1.png"}], "has_nsfw_concepts": [True]}
    (warning,) = polled(document, url=REQUEST).warnings
    assert "safety check" in warning


@pytest.mark.parametrize("units", ["", "x", "-1", "NaN", "1e999", "9" * 40])
def test_units_that_cannot_be_true_are_unknown(units) -> None:
    document = {"audio": {"url": "https://h/1.wav"}}
    assert polled(document, url=REQUEST, x_fal_billable_units=units, capability="speech").quantities == {}


def test_a_transcription_with_its_segments() -> None:
    chunks = [{"timestamp": [0, 1.5], "text": " Hello"}, {"timestamp": [1.5, None], "text": " there."}]
    done = polled({"text": " Hello there.", "chunks": chunks}, url=REQUEST, capability="transcription")
    assert done.text == "Hello there."
    assert done.segments == (Segment(0.0, 1.5, "Hello"), Segment(1.5, 1.5, "there."))
    partly = [*chunks, {"timestamp": None, "text": "?"}]
    done = polled({"text": "Hello", "chunks": partly}, url=REQUEST, capability="transcription")
    assert done.segments == ()
    with pytest.raises(ProviderRejected, match="No speech"):
        polled({"text": " "}, url=REQUEST, capability="transcription")


@given(
    status=st.sampled_from([200, 202, 400, 404, 422, 500, 503]),
    url=st.sampled_from(["", REQUEST, f"{REQUEST}/status", HOST, "https://[", "x"]),
    document=st.dictionaries(
        st.sampled_from(
            ["status", "response_url", "detail", "error_type", "images", "has_nsfw_concepts", "chunks", "text"]
        ),
        st.one_of(
            st.sampled_from(["COMPLETED", "IN_QUEUE", REQUEST, "still in progress"]), st.lists(st.integers()), st.none()
        ),
    ),
)
def test_whatever_a_poll_answers_is_understood_or_refused(status, url, document) -> None:
    for capability in ("image", "speech", "transcription"):
        try:
            answer = polled(document, status, url=url, capability=capability)
        except ProviderError:
            continue
        assert isinstance(answer, Done | Pending)
        if isinstance(answer, Pending):
            assert answer.poll.url.startswith(f"{HOST}/")
