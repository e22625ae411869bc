"""Hugging Face: requests that fal queues, from the first answer to the result or its failure."""

import json
from collections.abc import Callable
from decimal import Decimal

import pytest

from genesis.domain.quantity import Unit
from genesis.errors import ProviderAmbiguous, ProviderRejected
from genesis.net.exchange import Reply, Request
from genesis.providers.base import Adapter, Done, Pending, PollingAdapter
from genesis.providers.huggingface.row import provider
from genesis.settings import Settings

ONE_IMAGE = {Unit.IMAGES: Decimal(1)}
QUEUE_PATH = "/fal-ai/fal-ai/flux-2/requests/764cabcf-b745-4b3e-ae38-1200304cf45b"


def adapter(capability: str) -> Adapter:
    return provider(Settings()).services[capability].adapter


def test_the_queue_from_first_to_last(stored: Callable[..., Reply]) -> None:
    transform = adapter("image_transform")
    status = Request("GET", f"{QUEUE_PATH}/status?_subdomain=queue")
    result = Request("GET", f"{QUEUE_PATH}?_subdomain=queue")
    cancel = Request("PUT", f"{QUEUE_PATH}/cancel?_subdomain=queue")
    assert transform.parse_reply(stored("huggingface/fal_queued.json")) == Pending(status, 1.0, cancel)
    assert transform.parse_reply(stored("huggingface/fal_in_progress.json", 202)) == Pending(status, 1.0, cancel)
    assert transform.parse_reply(stored("huggingface/fal_completed.json")) == Pending(result, 0)
    done = transform.parse_reply(stored("huggingface/fal_image.json"))
    assert done == Done(media_url="https://v3.fal.media/files/rabbit/a1.png", quantities=ONE_IMAGE)


@pytest.mark.parametrize(
    ("url", "poll"),
    [
        ("https://evil.example/fal-ai/x/requests/1", "/fal-ai/fal-ai/x/requests/1/status?_subdomain=queue"),
        ("https://queue.fal.run/a/b?x=http://evil.example", "/fal-ai/a/b/status?_subdomain=queue"),
        ("https://user@evil.example:1/a", "/fal-ai/a/status?_subdomain=queue"),
    ],
)
def test_polls_stay_on_the_router(url: str, poll: str) -> None:
    body = json.dumps({"status": "IN_QUEUE", "response_url": url, "status_url": "https://evil.example"}).encode()
    pending = adapter("image_transform").parse_reply(Reply(200, {}, body))
    assert isinstance(pending, Pending)
    assert pending.poll == Request("GET", poll)


@pytest.mark.parametrize(
    "url",
    ["", None, 1, "https://[", "https://h", "https://h/a/../b", "https://h//evil.example/a", "https://h/a b", "/"],
)
def test_a_poll_that_cannot_be_trusted_is_not_made(url: object) -> None:
    body = json.dumps({"status": "IN_QUEUE", "response_url": url}).encode()
    with pytest.raises(ProviderAmbiguous):
        adapter("image_transform").parse_reply(Reply(200, {}, body))


QUEUED = {"request_id": "1", "response_url": "https://queue.fal.run/a/requests/1"}


@pytest.mark.parametrize("capability", ["image", "transcription", "speech", "image_transform"])
@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({**QUEUED, "status": "CANCELLED"}, "CANCELLED"),
        ({"status": "CANCELED"}, "CANCELED"),
        ({"status": "FAILED", "error": "out of memory"}, "out of memory"),
        ({**QUEUED, "status": "FAILED", "error": {"message": "out of memory"}}, "out of memory"),
        ({**QUEUED, "status": "ERROR", "detail": [{"msg": "no such image"}]}, "no such image"),
        ({**QUEUED, "status": "COMPLETED", "error": "Request timed out", "error_type": "request_timeout"}, "timed out"),
        ({**QUEUED, "status": "COMPLETED", "error_type": "runner_disconnected"}, "runner_disconnected"),
    ],
)
def test_a_request_that_the_queue_gave_up_is_not_sent_again(
    capability: str, document: dict[str, object], reason: str
) -> None:
    with pytest.raises(ProviderRejected, match=reason):
        adapter(capability).parse_reply(Reply(200, {}, json.dumps(document).encode()))


@pytest.mark.parametrize("status", ["PAUSED", "", None, 7, ["COMPLETED"]])
def test_an_unknown_state_of_a_queued_request_is_ambiguous(status: object) -> None:
    body = json.dumps({**QUEUED, "status": status}).encode()
    with pytest.raises(ProviderAmbiguous):
        adapter("image_transform").parse_reply(Reply(200, {}, body))


def test_a_result_may_have_a_status_of_its_own() -> None:
    document = {"status": "done", "error": None, "images": [{"url": "https://v3.fal.media/a.png"}]}
    done = adapter("image_transform").parse_reply(Reply(200, {}, json.dumps(document).encode()))
    assert done == Done(media_url="https://v3.fal.media/a.png", quantities=ONE_IMAGE)


@pytest.mark.parametrize("status", [400, 405, 409, 422])
@pytest.mark.parametrize("reason", ["Failed to load the image", "Unsupported image", "Image not found"])
def test_a_result_that_is_refused_ends_the_call(status: int, reason: str) -> None:
    """Also where a model that was not asked yet would be left for another one."""
    transform = adapter("image_transform")
    assert isinstance(transform, PollingAdapter)
    poll = Request("GET", f"{QUEUE_PATH}?_subdomain=queue")
    with pytest.raises(ProviderRejected, match=reason):
        transform.parse_poll(poll, Reply(status, {}, json.dumps({"detail": [{"msg": reason}]}).encode()))


@pytest.mark.parametrize("status", [404, 410])
def test_a_result_that_is_gone_is_in_doubt(status: int) -> None:
    transform = adapter("image_transform")
    assert isinstance(transform, PollingAdapter)
    with pytest.raises(ProviderAmbiguous, match="does not know"):
        transform.parse_poll(Request("GET", QUEUE_PATH), Reply(status, {}, b'{"detail": "Not Found"}'))
