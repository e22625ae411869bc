"""A provider that charges, in a process of its own: `python -m tests.support.paid_provider --port N --journal FILE`.

It serves the providers `fake-keyed`, `fake-handle` and `fake-opaque` of whoever sets GENESIS_FAKE_URL to its address, and
under `/opaque` also OpenRouter's adapter (OPENROUTER_BASE_URL). Each charge is a line of JSON in the journal before
anything is answered, `{"at", "class", "capability", "key", "prompt", "id", "fault"}`; the key is the call key.

* keyed: a key is charged once, and answered again with the same result, also after a restart with the same journal
* handle: a request is taken and charged, then asked for by its id, or deleted
* opaque: every request is charged

A prompt chooses what goes wrong by a mark `[fault:NAME]`, or `[fault:NAME:N]` for its first N requests only:

    rate-limited    429 with Retry-After: 1          unavailable    503
    refused         400                              error          500; nothing is charged by these four
    reset           the connection is lost before anything is charged
    charged-error   500 although it was charged      charged-reset  the connection is lost after the charge
    hang            charged, and never answered      slow           charged, answered byte by byte
    truncated       charged, half an answer          failing        charged, and a stream ends with an error
    pending         a queued request takes N polls   lost           a queued request fails after the charge
    poll-error      the first N polls get a 500      poll-reset     the first N polls lose their connection

With `--faults SEED`, requests without a mark meet faults by chance, `--fault-rate` of them; by the same seed a request
meets the same fault, whenever it comes. A request that is sent again draws anew.
"""

import argparse
import asyncio
import base64
import json
import os
import random
import re
import socket
import struct
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from aiohttp import web

from genesis.net.exchange import Request
from genesis.providers import fake

PRICES = {"text": 0.001, "image": 0.04}
_MARK = re.compile(r"\[fault:([a-z-]+)(?::(\d+))?\]")
_REFUSALS = {"rate-limited": 429, "unavailable": 503, "refused": 400, "error": 500}
_BY_CHANCE = "rate-limited unavailable error reset charged-error charged-reset hang slow truncated".split()
_BY_CHANCE_QUEUED = [*_BY_CHANCE, "pending", "poll-error", "poll-reset", "lost"]
_NO_FAULT = ("", 0)


@dataclass
class Job:
    """A queued request, as it stands."""

    id: str
    result: dict
    polls_left: int
    bad_polls_left: int = 0
    fault: str = ""
    status: str = "queued"


@dataclass
class PaidProvider:
    """What the server knows."""

    journal: str
    seed: str | None = None
    fault_rate: float = 0.2
    charges: int = 0
    answers: dict[str, dict] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    asked: Counter = field(default_factory=Counter)

    def __post_init__(self):
        self._file = os.open(self.journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        for line in journal_of(self.journal):
            self.charges += 1
            if line["class"] == "keyed":
                self.answers[line["key"]] = result_of(line["capability"], line["prompt"], line["id"])

    def fault(self, kind: str, prompt: str) -> tuple[str, int]:
        """What goes wrong with this request, with its number."""
        self.asked[kind, prompt] += 1
        number = self.asked[kind, prompt]
        if mark := _MARK.search(prompt):
            name, count = mark[1], int(mark[2] or 0)
            counts_requests = name not in ("pending", "poll-error", "poll-reset")
            over = counts_requests and count and number > count
            return _NO_FAULT if over else (name, count)
        if self.seed is None:
            return _NO_FAULT
        dice = random.Random(f"{self.seed} {kind} {prompt} {number}")
        if dice.random() >= self.fault_rate:
            return _NO_FAULT
        return dice.choice(_BY_CHANCE_QUEUED if kind == "handle" else _BY_CHANCE), dice.randint(1, 3)

    def charge(self, kind: str, capability: str, key: str, prompt: str, fault: str) -> dict:
        """Writes the charge down; the result that was paid for."""
        if kind == "keyed" and key in self.answers:
            return self.answers[key]
        self.charges += 1
        identity = f"gen-{self.charges}"
        line = {
            "at": time.time_ns() // 1_000_000,
            "class": kind,
            "capability": capability,
            "key": key,
            "prompt": prompt,
            "id": identity,
            "fault": fault,
        }
        os.write(self._file, (json.dumps(line) + "\n").encode())
        result = result_of(capability, prompt, identity)
        if kind == "keyed":
            self.answers[key] = result
        return result


def journal_of(path: str) -> list[dict]:
    """All charges of a journal."""
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def result_of(capability: str, prompt: str, identity: str) -> dict:
    if capability == "image":
        form = {"text": identity, "options": '{"quality": "draft"}'}
        png = fake.answer(Request("POST", "/image", form=form)).body
        return {"data": [{"b64_json": base64.b64encode(png).decode()}], "usage": {"cost": PRICES["image"]}}
    message = {"role": "assistant", "content": f"answer to {prompt}"}
    return {
        "id": identity,
        "model": "made-up",
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "cost": PRICES["text"]},
    }


def key_of(request: web.Request) -> str:
    return request.headers.get("Idempotency-Key") or request.headers.get("X-Call-Key", "")


def app_of(provider: PaidProvider) -> web.Application:
    """The server."""
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_get("/health", partial(health, provider))
    for kind, prefix in (("keyed", ""), ("opaque", ""), ("handle", "/queue")):
        for capability, path in (("text", "/chat/completions"), ("image", "/images/generations")):
            app.router.add_post(f"/{kind}{prefix}{path}", partial(generate, provider, kind, capability))
    app.router.add_get("/handle/queue/jobs/{id}", partial(poll, provider))
    app.router.add_delete("/handle/queue/jobs/{id}", partial(cancel, provider))
    return app


async def health(provider: PaidProvider, request: web.Request) -> web.StreamResponse:
    return web.json_response({"charges": provider.charges})


async def generate(provider: PaidProvider, kind: str, capability: str, request: web.Request) -> web.StreamResponse:
    body = await request.json()
    prompt = body["prompt"] if capability == "image" else body["messages"][-1]["content"]
    fault, count = provider.fault(kind, prompt)
    if fault in _REFUSALS:
        return refusal(_REFUSALS[fault])
    if fault == "reset":
        return reset(request)
    result = provider.charge(kind, capability, key_of(request), prompt, fault)
    if fault == "charged-reset":
        return reset(request)
    if fault == "charged-error":
        return refusal(500)
    if fault == "hang":
        await asyncio.sleep(3600)
    if kind == "handle":
        return await delivered(request, taken(provider, result, fault, count), fault)
    return await (streamed if body.get("stream") else delivered)(request, result, fault)


async def poll(provider: PaidProvider, request: web.Request) -> web.StreamResponse:
    job = provider.jobs.get(request.match_info["id"])
    if job is None:
        return refusal(404)
    if job.bad_polls_left:
        job.bad_polls_left -= 1
        return reset(request) if job.fault == "poll-reset" else refusal(500)
    if job.status == "queued" and job.polls_left > 0:
        job.polls_left -= 1
    elif job.status == "queued":
        job.status = "failed" if job.fault == "lost" else "done"
    return web.json_response(written(job))


async def cancel(provider: PaidProvider, request: web.Request) -> web.StreamResponse:
    job = provider.jobs.get(request.match_info["id"])
    if job is None:
        return refusal(404)
    if job.status == "queued":
        job.status = "canceled"
    return web.json_response(written(job))


def taken(provider: PaidProvider, result: dict, fault: str, count: int) -> dict:
    """Puts a request into the queue."""
    polls = count if fault == "pending" else 1
    bad = (count or 1) if fault in ("poll-error", "poll-reset") else 0
    job = Job(f"job-{provider.charges}-{len(provider.jobs)}", result, polls, bad, fault)
    provider.jobs[job.id] = job
    return written(job)


def written(job: Job) -> dict:
    status = {"id": job.id, "status": job.status, "wait_seconds": 0.05}
    if job.status == "done":
        return {**status, "result": job.result}
    return {**status, "error": "The model broke."} if job.status == "failed" else status


def refusal(status: int) -> web.Response:
    headers = {"Retry-After": "1"} if status == 429 else {}
    return web.json_response({"error": {"message": f"fault {status}"}}, status=status, headers=headers)


def reset(request: web.Request) -> web.Response:
    """Loses the connection at once."""
    if transport := request.transport:
        if (connection := transport.get_extra_info("socket")) is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


async def delivered(request: web.Request, result: dict, fault: str) -> web.StreamResponse:
    data = json.dumps(result).encode()
    if fault not in ("slow", "truncated"):
        return web.Response(body=data, content_type="application/json")
    response = web.StreamResponse(headers={"Content-Length": str(len(data)), "Content-Type": "application/json"})
    await response.prepare(request)
    if fault == "truncated":
        await response.write(data[: len(data) // 2])
        return reset(request)
    for start in range(0, len(data), max(1, len(data) // 20)):
        await response.write(data[start : start + max(1, len(data) // 20)])
        await asyncio.sleep(0.02)
    return response


async def streamed(request: web.Request, result: dict, fault: str) -> web.StreamResponse:
    words = re.findall(r"\S+\s*", result["choices"][0]["message"]["content"])
    chunks = [{"model": "made-up", "choices": [{"delta": {"content": word}}]} for word in words]
    end = {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": result["usage"]}
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    await response.write(b": PROCESSING\n\n")
    half = len(chunks) // 2
    for number, chunk in enumerate([*chunks, end]):
        if number == half and fault == "truncated":
            return reset(request)
        if number == half and fault == "failing":
            chunk = {"error": {"code": 500, "message": "The model broke."}}  # noqa: PLW2901
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
        if number == half and fault == "failing":
            return response
        await asyncio.sleep(0.1 if fault == "slow" else 0)
    await response.write(b"data: [DONE]\n\n")
    return response


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--journal", required=True)
    parser.add_argument("--faults", metavar="SEED")
    parser.add_argument("--fault-rate", type=float, default=0.2)
    arguments = parser.parse_args()
    provider = PaidProvider(arguments.journal, arguments.faults, arguments.fault_rate)
    web.run_app(
        app_of(provider), host="127.0.0.1", port=arguments.port, print=None, access_log=None, shutdown_timeout=1
    )


if __name__ == "__main__":
    main()
