"""What the partners behind Hugging Face's router answer: files, texts, and calls that are still under way.

A reply does not name its partner, but each has a form of its own. A call under way is asked for below the partner's path
of the router, with no more than a checked path from what the partner sent: the key never leaves the router.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.parse import urlsplit

from genesis.domain.quantity import Quantities, Unit
from genesis.errors import ProviderAmbiguous, ProviderRejected
from genesis.net.exchange import Reply, Request
from genesis.providers.base import Done, Pending
from genesis.providers.huggingface.partners import QUEUE
from genesis.providers.openai_format import image_result, transcription_result
from genesis.providers.queues import counted, file_result, files_in, segments_in
from genesis.providers.translation import json_object_of, left_out, media_of, message_in, unreadable

_PATH = re.compile(r"(/[\w-][\w.-]*)+", re.ASCII)
_NAME = re.compile(r"[\w-][\w.-]*", re.ASCII)
_ZAI_RESULT = "/zai-org/api/paas/v4/async-result/"
_POLL_SECONDS = 1.0
_UNDER_WAY = frozenset(
    ("IN_QUEUE", "IN_PROGRESS", "PROCESSING", "starting", "processing", "created", "pending", "queued")
)
_GIVEN_UP = frozenset(
    ("FAILED", "ERROR", "CANCELLED", "CANCELED", "FAIL", "failed", "canceled", "cancelled", "aborted", "timeout")
)
_FILE_FIELDS = ("images", "image", "audio", "url")
_TEXT_FIELDS = ("transcription", "translation", "text")


def result_of(reply: Reply, kind: str, poll: Request | None = None) -> Done | Pending:
    """The result of a successful reply, or where to ask for it.

    Args:
        kind: `image` or `audio`; empty where the result is text.
        poll: what the reply answers, where that was not the call itself.

    Raises:
        ProviderRejected: the call was given up after it had been taken; sent again, it could be charged twice.
        ProviderAmbiguous: it holds no result, or nobody knows where the call stands.
    """
    media = media_of(reply.body, kind) if kind else None
    if media:
        return _measured(Done(media=media), kind, reply)
    document = json_object_of(reply)
    pending = _under_way(reply, document, poll)
    if pending:
        return pending
    if _is_error(document) and not files_in(document, _FILE_FIELDS):
        raise ProviderAmbiguous(f"The provider answered {reply.status} with an error: {message_in(document)}")
    done = _file(reply, document, kind) if kind else _text(reply, document)
    return _measured(done, kind, reply, document)


def _is_error(document: Mapping[str, Any]) -> bool:
    code = document.get("code")  # within a 200, at wavespeed
    return bool(document.get("error")) or (isinstance(code, int) and code >= HTTPStatus.BAD_REQUEST)


def _measured(done: Done, kind: str, reply: Reply, document: Mapping[str, Any] | None = None) -> Done:
    """The result with what its partner charges by: images, its own units, or the time that the model ran."""
    metrics = (document or {}).get("metrics")
    counts = {
        Unit.PROVIDER_UNITS: reply.headers.get("x-fal-billable-units"),
        Unit.COMPUTE_SECONDS: metrics.get("predict_time") if isinstance(metrics, dict) else None,
    }
    quantities: Quantities = {**({Unit.IMAGES: Decimal(1)} if kind == "image" else {}), **counted(counts)}
    return replace(done, quantities={**quantities, **done.quantities})


def _under_way(reply: Reply, document: Mapping[str, Any], poll: Request | None) -> Pending | None:
    """Where to ask next; None for a reply that says how its call has ended."""
    task = document.get("data")
    if isinstance(task, dict) and "status" in task:
        return _of_wavespeed(reply, task)
    if "task_status" in document:
        return _of_zai(reply, document, poll)
    if isinstance(document.get("urls"), dict) or ("output" in document and "status" in document):
        return _of_replicate(reply, document)
    if ("response_url" in document or isinstance(document.get("status"), str)) and not _has_result(document):
        return _of_fal(reply, document)
    return None


def _has_result(document: Mapping[str, Any]) -> bool:
    return not document.keys().isdisjoint(("images", "image", "audio", "text"))


def _of_fal(reply: Reply, queued: Mapping[str, Any]) -> Pending:
    """The status until it is complete, then the result."""
    status = queued.get("status")
    if status == "COMPLETED" and not (queued.get("error") or queued.get("error_type")):
        path = _path(reply, queued.get("response_url"))
        return Pending(Request("GET", f"/fal-ai{path}{QUEUE}"), wait_seconds=0)
    _expect(status if status != "COMPLETED" else "ERROR", queued)
    path = _path(reply, queued.get("response_url"))
    cancel = Request("PUT", f"/fal-ai{path}/cancel{QUEUE}")
    return Pending(Request("GET", f"/fal-ai{path}/status{QUEUE}"), wait_seconds=_POLL_SECONDS, cancel=cancel)


def _of_replicate(reply: Reply, prediction: Mapping[str, Any]) -> Pending | None:
    if prediction.get("status") == "succeeded":
        return None
    _expect(prediction.get("status"), prediction)
    urls = prediction.get("urls")
    path = _path(reply, urls.get("get") if isinstance(urls, dict) else None)
    cancel = Request("POST", f"/replicate{path}/cancel")
    return Pending(Request("GET", f"/replicate{path}"), wait_seconds=_POLL_SECONDS, cancel=cancel)


def _of_wavespeed(reply: Reply, task: Mapping[str, Any]) -> Pending | None:
    if task.get("status") == "completed":
        return None
    _expect(task.get("status"), task)
    urls, name = task.get("urls"), task.get("id")
    named = f"/api/v3/predictions/{name}/result" if isinstance(name, str) else None
    path = _path(reply, (urls.get("get") if isinstance(urls, dict) else None) or named)
    return Pending(Request("GET", f"/wavespeed{path}"), wait_seconds=_POLL_SECONDS)


def _of_zai(reply: Reply, task: Mapping[str, Any], poll: Request | None) -> Pending | None:
    """Only the first answer names the task; those to polls are known by what was asked."""
    if task.get("task_status") == "SUCCESS":
        return None
    _expect(task.get("task_status"), task)
    name = poll.url.removeprefix(_ZAI_RESULT) if poll else task.get("id")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise unreadable(reply)
    return Pending(Request("GET", _ZAI_RESULT + name), wait_seconds=_POLL_SECONDS)


def _expect(status: object, task: Mapping[str, Any]) -> None:
    """Does nothing for a call that is under way."""
    if isinstance(status, str) and status in _UNDER_WAY:
        return
    if isinstance(status, str) and status in _GIVEN_UP:
        _give_up(status, task)
    raise ProviderAmbiguous(f"The provider says of the queued request: {message_in(status) or 'nothing'}.")


def _give_up(status: str, task: Mapping[str, Any]) -> NoReturn:
    reason = message_in(task) or message_in(task.get("error_type")) or status
    raise ProviderRejected(f"The provider gave the request up: {reason}")


def _path(reply: Reply, url: object) -> str:
    """The path of a URL that a partner sent.

    Raises:
        ProviderAmbiguous: it cannot be trusted.
    """
    try:
        path = urlsplit(url).path if isinstance(url, str) else ""
    except ValueError:
        path = ""
    if not _PATH.fullmatch(path):
        raise unreadable(reply)
    return path


def _file(reply: Reply, document: Mapping[str, Any], kind: str) -> Done:
    task = document.get("data")
    if isinstance(task, list):
        return image_result(reply) if kind == "image" else _first(reply, document, kind)
    outputs = task.get("outputs") if isinstance(task, dict) else None
    made = next((part for part in (document.get("output"), outputs, document.get("image_result")) if part), document)
    return _first(reply, made, kind)


def _first(reply: Reply, made: object, kind: str) -> Done:
    fields = (kind, *_FILE_FIELDS) if kind == "audio" else _FILE_FIELDS
    found = (file_result(url, kind) for url in files_in(made, dict.fromkeys(fields)))
    done = next((file for file in found if file), None)
    if done is None:
        raise unreadable(reply)
    if kind != "image":
        return done
    count = _count(made, fields)
    return replace(done, quantities={Unit.IMAGES: Decimal(count)}, warnings=left_out(count))


def _count(made: object, fields: Sequence[str]) -> int:
    """How many files a result holds, in the first field that has any: some name the same one twice."""
    parts = [made[name] for name in fields if name in made] if isinstance(made, dict) else [made]
    return next((len(found) for part in parts if (found := files_in(part, fields))), 1)


def _text(reply: Reply, document: Mapping[str, Any]) -> Done:
    """A transcription, with its segments where the model tells their times."""
    if "output" in document:
        document = _output(document["output"])
        reply = replace(reply, body=json.dumps(document, default=float).encode())
    done = transcription_result(reply)
    return replace(done, segments=segments_in(document.get("chunks")) or done.segments)


def _output(output: object) -> dict[str, Any]:
    """A prediction's output in the form of other transcriptions: a text, pieces of one, or an object."""
    if isinstance(output, list) and output:
        is_text = all(isinstance(part, str) for part in output)
        output = "".join(output) if is_text else output[0]
    if not isinstance(output, dict):
        return {"text": output if isinstance(output, str) else None}
    text = next((output[name] for name in _TEXT_FIELDS if isinstance(output.get(name), str)), None)
    return {**output, "text": text}
