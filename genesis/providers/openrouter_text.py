"""OpenRouter's chat: text over `POST /chat/completions`, streamed or whole. Each reply reports its own cost in dollars."""

from dataclasses import replace
from http import HTTPStatus
from typing import ClassVar

from genesis.net.exchange import Reply, Request
from genesis.providers.base import Chunk, Done, ProviderCall
from genesis.providers.openai_format import (
    CHAT_OPTIONS,
    chat_assembled,
    chat_body,
    chat_chunk,
    chat_event,
    chat_result,
)
from genesis.providers.openrouter_errors import answer_of, error_in, provider_error
from genesis.providers.openrouter_generation import Recorded, cost_request
from genesis.providers.options import OptionTable


class OpenRouterText(Recorded):
    """Text; one that was cut off is asked for by its generation."""

    options: ClassVar[OptionTable] = CHAT_OPTIONS
    gives_text_again = True

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call."""
        return Request("POST", "/chat/completions", json=chat_body(call, max_tokens_field="max_completion_tokens"))

    def parse_reply(self, reply: Reply) -> Done:
        """The answer; an error may stand in a reply of status 200 too."""
        done = chat_result(reply, answer_of(reply))
        return done if done.cost is not None else replace(done, cost_request=cost_request(reply.headers))

    def build_stream(self, call: ProviderCall) -> Request:
        """The request for a call whose answer is streamed."""
        body = chat_body(call, max_tokens_field="max_completion_tokens", stream=True)
        return Request("POST", "/chat/completions", json=body)

    def parse_chunk(self, event: bytes) -> Chunk:
        """A piece of the answer; an error ends the stream."""
        document = chat_event(event)
        if error := error_in(document):
            raise provider_error(Reply(HTTPStatus.OK, {}, event), document, error)
        return chat_chunk(document)

    def assemble(self, whole: Chunk) -> Done:
        """The answer, whole."""
        return chat_assembled(whole)
