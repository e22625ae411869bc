"""Text by SmolLM2-135M-Instruct through llama.cpp, in process.

The model is small: its English is fluent, its facts are not to be relied on. It follows a begun text far better than an
instruction, so a last message of the role `assistant` is taken as the beginning of the answer and is continued.
"""

import json
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from genesis.providers.local.models import LOCAL_MODELS, SMOLLM2
from genesis.providers.local.server.errors import RequestError
from genesis.providers.local.server.generation import Answer, Body, Emit, RequestModel, read_json
from genesis.providers.local.server.threads import compute_threads
from genesis.providers.local.server.weights import verified

CONTEXT_TOKENS = 2048
"""Longest prompt and answer together."""

DEFAULT_MAX_TOKENS = 512

_SAMPLING: Mapping[str, float] = {"temperature": 0.2, "top_p": 0.9, "min_p": 0.05, "repeat_penalty": 1.15}
"""Temperature and top_p are those of the model's card; without the penalty it soon repeats itself."""


_USAGE = ("prompt_tokens", "completion_tokens", "total_tokens")


class TextPart(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Literal["text"]
    text: str


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: str | list[TextPart]

    @property
    def text(self) -> str:
        """The content as one text."""
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)


class ChatRequest(RequestModel):
    messages: list[Message] = Field(min_length=1)
    max_tokens: int | None = Field(None, ge=1)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    seed: int | None = Field(None, ge=0, lt=2**32)
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    stream: bool = False


class TextModel:
    """SmolLM2, loaded."""

    def __init__(self, server: Any) -> None:
        self._server = server

    def streams(self, body: Body) -> bool:
        """Whether the chat completion is to come in chunks."""
        return read_json(ChatRequest, body).stream

    def stream(self, body: Body, emit: Emit) -> None:
        """A chat completion in chunks.

        Raises:
            RequestError: a field is wrong, or the prompt is longer than the context.
        """
        pieces = Pieces(emit)
        request = {**llama_request(_read(body)), "stream": True, "stream_options": {"include_usage": True}}
        self._server.handle_chat_completions(request, pieces.hear)
        if pieces.error is not None:
            raise _llama_error(pieces.error)
        pieces.end()

    def answer(self, body: Body) -> Answer:
        """A chat completion, whole.

        Raises:
            RequestError: a field is wrong, or the prompt is longer than the context.
        """
        result = self._server.handle_chat_completions(llama_request(_read(body)))
        if "error" in result:
            raise _llama_error(result["error"])
        return Answer("application/json", json.dumps(chat_completion(result)).encode())


def _read(body: Body) -> ChatRequest:
    request = read_json(ChatRequest, body)
    if not any(message.text.strip() for message in request.messages):
        raise RequestError("The messages hold no text.", param="messages")
    return request


class Pieces:
    """Puts a streamed text together as the whole would be: without space around it.

    Args:
        emit: takes one server-sent event.
    """

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._held = ""
        self._begun = False
        self._end: dict[str, Any] = {}
        self.error: Mapping[str, Any] | None = None

    def hear(self, chunk: Mapping[str, Any]) -> bool:
        """Takes one chunk of llama.cpp; never asks it to stop."""
        if "error" in chunk:
            self.error = chunk["error"]
            return False
        if chunk.get("usage"):
            self._end["usage"] = {name: chunk["usage"][name] for name in _USAGE}
        for choice in chunk.get("choices", ()):
            self._say(choice["delta"].get("content") or "")
            if choice.get("finish_reason"):
                self._end["finish_reason"] = choice["finish_reason"]
        return False

    def end(self) -> None:
        """Emits what ends a stream."""
        self._send({}, **self._end)
        self._emit(b"data: [DONE]\n\n")

    def _say(self, text: str) -> None:
        text = self._held + text
        said = text.rstrip() if self._begun else text.strip()
        self._held = text[len(text.rstrip()) :] if said or self._begun else ""
        if said:
            self._begun = True
            self._send({"content": said})

    def _send(self, delta: Mapping[str, str], *, finish_reason: str | None = None, **more: Any) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        event = {"object": "chat.completion.chunk", "model": LOCAL_MODELS["text"], "choices": [choice], **more}
        self._emit(b"data: " + json.dumps(event).encode() + b"\n\n")


def llama_request(request: ChatRequest) -> dict[str, Any]:
    """The request as llama.cpp understands it, with the defaults that suit the model."""
    given = request.model_dump(exclude_none=True, include={"temperature", "top_p", "seed", "stop"})
    return {
        **_SAMPLING,
        **given,
        "messages": [{"role": message.role, "content": message.text} for message in request.messages],
        "max_tokens": min(request.max_tokens or DEFAULT_MAX_TOKENS, CONTEXT_TOKENS),
        "cache_prompt": False,  # with a warm cache the same seed may give another text
    }


def chat_completion(result: Mapping[str, Any]) -> dict[str, Any]:
    """llama.cpp's completion as OpenAI's API gives it."""
    choice = result["choices"][0]
    usage = result["usage"]
    return {
        "id": result["id"],
        "object": "chat.completion",
        "created": result["created"],
        "model": LOCAL_MODELS["text"],
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": (choice["message"].get("content") or "").strip()},
                "finish_reason": choice["finish_reason"],
            }
        ],
        "usage": {name: usage[name] for name in _USAGE},
    }


def _llama_error(error: Mapping[str, Any]) -> RequestError:
    if error.get("type") == "exceed_context_size_error":
        return RequestError(
            f"The prompt has {error.get('n_prompt_tokens')} tokens; this model takes at most {CONTEXT_TOKENS}. Shorten it.",
            param="messages",
            code="context_length_exceeded",
        )
    if error.get("code") == HTTPStatus.BAD_REQUEST:
        return RequestError(str(error.get("message")))
    return RequestError(
        f"The model failed: {error.get('message')}", code="generation_failed", status=HTTPStatus.INTERNAL_SERVER_ERROR
    )


def load() -> TextModel:
    """Loads the model."""
    path = verified(SMOLLM2)
    from xllamacpp import CommonParams, Server

    params = CommonParams()
    params.model.path = str(path)
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = compute_threads()
    params.cache_ram_mib = 0
    params.warmup = False
    params.verbosity = 0
    # llama.cpp opens a loopback server of its own that nobody shall use.
    params.api_keys = [secrets.token_urlsafe(32)]
    params.ui = False
    params.endpoint_slots = False
    return TextModel(Server(params))
