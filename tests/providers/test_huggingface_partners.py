"""Hugging Face: exact requests to each further partner, and what each answers."""

import base64
import json
from decimal import Decimal

import pytest

from genesis.domain.quantity import Unit
from genesis.domain.transcript import Segment
from genesis.errors import ProviderAmbiguous, ProviderRejected
from genesis.net.exchange import FormFile, Reply, Request
from genesis.providers.base import Done, Media, Pending, PollingAdapter, ProviderCall, options_of
from genesis.providers.huggingface.partners import IMAGE, IMAGE_TRANSFORM, SPEECH, TRANSCRIPTION
from genesis.providers.huggingface.row import provider
from genesis.settings import Settings

AUDIO = Media(b"fLaC....", "audio/flac")
AUDIO_URL = "data:audio/flac;base64,ZkxhQy4uLi4="
PICTURE = Media(b"\xff\xd8\xff", "image/jpeg")
PICTURE_URL = "data:image/jpeg;base64,/9j/"
ALL = {"style": "ink", "quality": "draft", "aspect_ratio": "16:9", "negative_prompt": "dogs", "seed": 7}
ONE_IMAGE = {Unit.IMAGES: Decimal(1)}
WAIT = {"Prefer": "wait"}


def adapter(capability):
    return provider(Settings()).services[capability].adapter


def asked(capability, model, text="a cat", media=None, options=None, **provider_options):
    """The request, with those of the options that the partner can be told."""
    one = adapter(capability)
    told = {name: value for name, value in (options or {}).items() if name in options_of(one, model)}
    return one.build_request(ProviderCall(model, text, media, told, provider_options))


def read(capability, document, status=200, **headers):
    return adapter(capability).parse_reply(Reply(status, headers, json.dumps(document).encode()))


@pytest.mark.parametrize(
    ("model", "url", "headers", "body"),
    [
        (
            "black-forest-labs/flux-schnell@replicate",
            "/replicate/v1/models/black-forest-labs/flux-schnell/predictions",
            WAIT,
            {
                "input": {
                    "prompt": "a cat, ink style",
                    "width": 672,
                    "height": 384,
                    "aspect_ratio": "16:9",
                    "negative_prompt": "dogs",
                    "seed": 7,
                }
            },
        ),
        (
            "black-forest-labs/FLUX.1-schnell@together",
            "/together/v1/images/generations",
            {},
            {
                "prompt": "a cat, ink style",
                "response_format": "base64",
                "width": 672,
                "height": 384,
                "negative_prompt": "dogs",
                "seed": 7,
                "model": "black-forest-labs/FLUX.1-schnell",
            },
        ),
        (
            "black-forest-labs/FLUX.1-schnell@nscale",
            "/nscale/v1/images/generations",
            {},
            {
                "response_format": "b64_json",
                "prompt": "a cat, ink style",
                "model": "black-forest-labs/FLUX.1-schnell",
                "size": "672x384",
            },
        ),
        (
            "wavespeed-ai/flux-dev@wavespeed",
            "/wavespeed/api/v3/wavespeed-ai/flux-dev",
            {},
            {"prompt": "a cat, ink style", "size": "672*384", "width": 672, "height": 384, "seed": 7},
        ),
        (
            "glm-image@zai-org",
            "/zai-org/api/paas/v4/async/images/generations",
            {"Accept-Language": "en-US,en", "x-source-channel": "hugging_face"},
            {"model": "glm-image", "prompt": "a cat, ink style", "size": "672x384"},
        ),
    ],
)
def test_image_requests_with_all_options(model, url, headers, body):
    assert asked("image", model, options=ALL) == Request("POST", url, headers, json=body)


def test_provider_options_lie_over_everything():
    request = asked("image", "a/b@together", steps=4, width=256)
    assert (request.json["steps"], request.json["width"]) == (4, 256)
    request = asked("image", "a/b@replicate", input={"num_outputs": 1})
    assert request.json["input"]["num_outputs"] == 1
    assert request.json["input"]["prompt"] == "a cat"


def test_a_version_at_replicate():
    request = asked(
        "speech", "jaaari/kokoro-82m:f559560e@replicate", "hello", options={"voice": "af_bella", "speed": 2.0}
    )
    assert request == Request(
        "POST",
        "/replicate/v1/predictions",
        WAIT,
        json={"input": {"text": "hello", "voice": "af_bella", "speed": 2.0}, "version": "f559560e"},
    )


@pytest.mark.parametrize(
    ("partner", "voice_and_speed"), [("together", {"voice": "x"}), ("deepinfra", {"voice": "x", "speed": 1.5})]
)
def test_speech_requests_in_the_form_of_openai(partner, voice_and_speed):
    request = asked("speech", f"hexgrad/Kokoro-82M@{partner}", "hello", options={"voice": "x", "speed": 1.5})
    path = "/together/v1/audio/speech" if partner == "together" else "/deepinfra/v1/openai/audio/speech"
    assert request == Request("POST", path, json={"input": "hello", "model": "hexgrad/Kokoro-82M", **voice_and_speed})


def test_transcription_requests():
    told = {"language": "pt-BR"}
    model = "openai/whisper-large-v3@deepinfra"
    assert asked("transcription", model, "", AUDIO, told, response_format="verbose_json") == Request(
        "POST",
        "/deepinfra/v1/openai/audio/transcriptions",
        form={
            "file": FormFile("audio.flac", "audio/flac", AUDIO.data),
            "model": "openai/whisper-large-v3",
            "language": "pt",
            "response_format": "verbose_json",
        },
    )
    assert asked("transcription", "fal-ai/whisper@fal-ai", "", AUDIO, told) == Request(
        "POST", "/fal-ai/fal-ai/whisper", json={"audio_url": AUDIO_URL, "language": "pt"}
    )
    assert asked("transcription", "openai/whisper:8099@replicate", "", AUDIO, told) == Request(
        "POST", "/replicate/v1/predictions", WAIT, json={"input": {"audio": AUDIO_URL}, "version": "8099"}
    )


@pytest.mark.parametrize(
    ("model", "url", "body"),
    [
        (
            "black-forest-labs/flux-kontext-dev@replicate",
            "/replicate/v1/models/black-forest-labs/flux-kontext-dev/predictions",
            {
                "input": {
                    "image": PICTURE_URL,
                    "images": [PICTURE_URL],
                    "input_image": PICTURE_URL,
                    "input_images": [PICTURE_URL],
                    "prompt": "add a hat, ink style",
                    "seed": 7,
                }
            },
        ),
        (
            "black-forest-labs/FLUX.1-kontext-dev@together",
            "/together/v1/images/generations",
            {
                "image_url": PICTURE_URL,
                "response_format": "base64",
                "prompt": "add a hat, ink style",
                "seed": 7,
                "model": "black-forest-labs/FLUX.1-kontext-dev",
            },
        ),
        (
            "black-forest-labs/FLUX.2-dev@together",
            "/together/v1/images/generations",
            {
                "reference_images": [PICTURE_URL],
                "response_format": "base64",
                "prompt": "add a hat, ink style",
                "seed": 7,
                "model": "black-forest-labs/FLUX.2-dev",
            },
        ),
        (
            "wavespeed-ai/flux-kontext-dev@wavespeed",
            "/wavespeed/api/v3/wavespeed-ai/flux-kontext-dev",
            {"image": PICTURE_URL, "images": [PICTURE_URL], "prompt": "add a hat, ink style", "seed": 7},
        ),
    ],
)
def test_image_transform_requests(model, url, body):
    options = {"style": "ink", "prompt": "add a hat", "seed": 7, "strength": 0.5}
    headers = WAIT if model.endswith("replicate") else {}
    assert asked("image_transform", model, "", PICTURE, options) == Request("POST", url, headers, json=body)


def test_options_by_partner():
    image = adapter("image")
    assert set(image.options) == set(ALL)
    assert set(options_of(image, "a/b")) == set(ALL)
    assert set(options_of(image, "a/b@nscale")) == {"style", "quality", "aspect_ratio"}
    assert options_of(image, "a/b@nobody") == {}
    assert image.options["seed"].note == "only at hf-inference, fal-ai, replicate, together, wavespeed"
    assert image.options["style"].note == "named in the prompt"


def test_a_dedicated_endpoint_is_told_all_that_hf_inference_is():
    url = "https://own.endpoints.huggingface.cloud/x@nscale"
    image = provider(Settings(image_model_url=url)).services["image"].adapter
    assert set(options_of(image, url)) == set(ALL)


def test_every_table_has_its_models():
    services = provider(Settings()).services
    for capability, partners in (
        ("image", IMAGE),
        ("transcription", TRANSCRIPTION),
        ("speech", SPEECH),
        ("image_transform", IMAGE_TRANSFORM),
    ):
        named = {model.rpartition("@")[2] for model in services[capability].models if "@" in model}
        assert named <= set(partners)


def test_predictions_of_replicate(stored):
    image, root = adapter("image"), "/replicate/v1/predictions/ufawqhfynnddngldkgtslldrkq"
    under_way = Pending(Request("GET", root), 1.0, Request("POST", f"{root}/cancel"))
    assert image.parse_reply(stored("huggingface/replicate_processing.json", 201)) == under_way
    assert image.parse_reply(stored("huggingface/replicate_image.json")) == Done(
        media_url="https://replicate.delivery/xezq/out-0.webp",
        quantities={**ONE_IMAGE, Unit.COMPUTE_SECONDS: Decimal("1.25")},
    )


@pytest.mark.parametrize(
    "output",
    [
        "https://replicate.delivery/a.png",
        ["https://replicate.delivery/a.png", "https://replicate.delivery/b.png"],
        {"image": "https://replicate.delivery/a.png"},
        [{"url": "https://replicate.delivery/a.png"}],
    ],
)
def test_outputs_of_many_forms(output):
    done = read("image", {"id": "1", "status": "succeeded", "output": output, "error": None})
    assert done.media_url == "https://replicate.delivery/a.png"


@pytest.mark.parametrize("output", [None, "", [], "words", {"n": 1}, 7, ["file:///etc/passwd"]])
def test_an_output_without_a_file_is_in_doubt(output):
    with pytest.raises(ProviderAmbiguous):
        read("image", {"id": "1", "status": "succeeded", "output": output, "error": None})


def test_transcriptions_of_replicate(stored):
    assert adapter("transcription").parse_reply(stored("huggingface/replicate_whisper.json")) == Done(
        text="He was surprised.",
        quantities={Unit.COMPUTE_SECONDS: Decimal(2)},
        segments=(Segment(0.0, 1.5, "He was surprised."),),
    )
    for output in ("He said.", ["He ", "said."], {"text": "He said."}, [{"transcription": "He said."}]):
        assert read("transcription", {"status": "succeeded", "output": output}).text == "He said."
    with pytest.raises(ProviderAmbiguous):
        read("transcription", {"status": "succeeded", "output": {"txt_file": "https://replicate.delivery/a.txt"}})


def test_tasks_of_wavespeed(stored):
    image = adapter("image")
    poll = Request("GET", "/wavespeed/api/v3/predictions/66aadab1a1a44ed9aa4fe0c8b1ebcf0f/result")
    assert image.parse_reply(stored("huggingface/wavespeed_created.json")) == Pending(poll, 1.0)
    assert image.parse_reply(stored("huggingface/wavespeed_completed.json")) == Done(
        media_url="https://d1q70pf5vjeyhc.cloudfront.net/predictions/66/1.jpeg", quantities=ONE_IMAGE
    )
    named = {"code": 200, "data": {"id": "66", "status": "processing"}}
    assert read("image", named).poll == Request("GET", "/wavespeed/api/v3/predictions/66/result")


def test_a_refusal_within_a_success_is_in_doubt():
    with pytest.raises(ProviderAmbiguous, match="Insufficient credits"):
        read("image", {"code": 402, "message": "Insufficient credits", "data": None})


def test_tasks_of_zai_are_polled_by_what_was_asked():
    image = adapter("image")
    poll = Request("GET", "/zai-org/api/paas/v4/async-result/t-1")
    assert read("image", {"id": "t-1", "request_id": "r", "task_status": "PROCESSING"}) == Pending(poll, 1.0)
    assert isinstance(image, PollingAdapter)
    nameless = {"request_id": "r", "task_status": "PROCESSING"}
    assert image.parse_poll(poll, Reply(200, {}, json.dumps(nameless).encode())) == Pending(poll, 1.0)
    with pytest.raises(ProviderAmbiguous):
        read("image", nameless)
    done = {"task_status": "SUCCESS", "image_result": [{"url": "https://z.ai/a.png"}]}
    assert read("image", done) == Done(media_url="https://z.ai/a.png", quantities=ONE_IMAGE)


@pytest.mark.parametrize(
    "document",
    [
        {"id": "1", "status": "failed", "output": None, "error": "out of memory"},
        {"id": "1", "status": "canceled", "output": None, "error": "out of memory"},
        {"code": 200, "message": "success", "data": {"id": "1", "status": "failed", "error": "out of memory"}},
        {"id": "1", "task_status": "FAIL", "error": {"message": "out of memory"}},
    ],
)
def test_a_task_that_was_given_up_is_not_sent_again(document):
    with pytest.raises(ProviderRejected, match="gave the request up: out of memory"):
        read("image", document)


@pytest.mark.parametrize(
    "document",
    [
        {"id": "1", "status": "resting", "output": None},
        {"id": "1", "status": 7, "output": None, "urls": {"get": "https://h/v1/predictions/1"}},
        {"id": "1", "status": "processing", "output": None},
        {"id": "1", "status": "processing", "output": None, "urls": {"get": "https://h/../v1/models"}},
        {"id": "1", "status": "processing", "output": None, "urls": {"get": ["https://h/a"]}},
        {"data": {"status": "created"}},
        {"data": {"status": "created", "id": "../../v1/models"}},
        {"data": {"status": None, "id": "1"}},
        {"id": "a/../b", "task_status": "PROCESSING"},
        {"id": "1", "task_status": "ASLEEP"},
    ],
)
def test_nobody_knows_where_it_stands(document):
    with pytest.raises(ProviderAmbiguous):
        read("image", document)


@pytest.mark.parametrize("status", [404, 410])
def test_a_poll_of_what_is_not_known_any_more_is_in_doubt(status):
    image = adapter("image")
    assert isinstance(image, PollingAdapter)
    with pytest.raises(ProviderAmbiguous, match="does not know"):
        image.parse_poll(Request("GET", "/replicate/v1/predictions/1"), Reply(status, {}, b'{"detail":"Not found"}'))


def test_images_in_the_form_of_openai(png):
    image = {"index": 0, "b64_json": base64.b64encode(png).decode()}
    assert read("image", {"data": [image]}) == Done(media=Media(png, "image/png"), quantities=ONE_IMAGE)
    assert read("image_transform", {"data": [{"url": "https://t/a.png"}]}).media_url == "https://t/a.png"


@pytest.mark.parametrize("capability", ["image", "image_transform", "speech"])
@pytest.mark.parametrize("document", [{"data": []}, {"data": [{}]}, {"data": [7]}, {"data": None}, {"data": {}}])
def test_a_success_without_a_file(capability, document):
    with pytest.raises(ProviderAmbiguous):
        read(capability, document)


def test_segments_of_chunks(stored):
    assert adapter("transcription").parse_reply(stored("huggingface/transcription_chunks.json")) == Done(
        text="He was surprised. Nobody came.",
        segments=(Segment(0.0, 1.5, "He was surprised."), Segment(1.5, 1.5, "Nobody came.")),
    )


def test_segments_of_deepinfra():
    document = {"text": "He said.", "segments": [{"id": 0, "start": 0, "end": 1.5, "text": " He said."}]}
    assert read("transcription", document).segments == (Segment(0.0, 1.5, "He said."),)


def test_units_that_fal_bills():
    document = {"images": [{"url": "https://v3.fal.media/a.png"}]}
    done = read("image", document, **{"x-fal-billable-units": "1.5"})
    assert done.quantities == {**ONE_IMAGE, Unit.PROVIDER_UNITS: Decimal("1.5")}


@pytest.mark.parametrize(
    ("document", "count"),
    [
        ({"images": [{"url": "https://f/1.png"}, {"url": "https://f/2.png"}], "image": {"url": "https://f/1.png"}}, 2),
        ({"image": {"url": "https://f/1.png"}, "url": "https://f/1.png"}, 1),
        ({"status": "succeeded", "output": ["https://f/1.png", "https://f/2.png", "https://f/3.png"]}, 3),
        ({"data": [{"url": "https://f/1.png"}, {"url": "https://f/2.png"}]}, 2),
    ],
)
def test_several_images_are_counted(document, count):
    done = read("image", document)
    assert (done.media_url, done.quantities[Unit.IMAGES]) == ("https://f/1.png", count)
    assert len(done.warnings) == (count > 1)
