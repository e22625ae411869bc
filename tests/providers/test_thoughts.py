"""Thoughts before an answer, from servers that do not keep them apart: they are no part of a text, streamed or whole."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis.domain.attempt import ProviderClass
from genesis.errors import ProviderRejected
from genesis.net.exchange import Reply, StreamedReply
from genesis.providers.base import ProviderCall, thinks_aloud
from genesis.providers.registry import providers
from genesis.providers.thoughts import AnswerOnly
from genesis.settings import Settings
from workers.streaming import stream

SERVER = {"url": "http://127.0.0.1:9/v1", "models": {"text": ["m"]}}
THOUGHT = "<think>\nA cat? Red, then.\n</think>\n\nA red <think>cat</think>"
ANSWER = "A red <think>cat</think>"


def adapter(name="mine", **settings):
    offered = providers(Settings(openai_compatible_servers={"mine": SERVER}, **settings), "text")
    return next(one for one in offered if one.name == name).services["text"].adapter


def reply(text, finish_reason="stop"):
    choice = {"message": {"content": text}, "finish_reason": finish_reason}
    return Reply(200, {"content-type": "application/json"}, json.dumps({"choices": [choice]}).encode())


def streamed(one, pieces):
    """The result of a streamed text, and what was told of it along the way."""
    events = [{"choices": [{"delta": {"content": piece}}]} for piece in pieces]
    events.append({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    told = []

    class Channel:
        @asynccontextmanager
        async def stream(self, request, deadline=None):
            yield StreamedReply(200, {"content-type": "text/event-stream"}, self._body())

        async def _body(self):
            for event in events:
                yield f"data: {json.dumps(event)}\n\n".encode()

    call, deadline = ProviderCall("m", "hi"), 1e12
    return asyncio.run(stream(one, Channel(), call, ProviderClass.OPAQUE, told.append, deadline)), "".join(told)


@pytest.mark.parametrize("name", ["mine", "huggingface"])
def test_they_are_left_out_and_the_result_says_so(name):
    done = adapter(name).parse_reply(reply(THOUGHT))
    assert done.text == ANSWER
    assert "thought" in done.warnings[0]
    plain = adapter(name).parse_reply(reply(" An answer with </think> in it\n"))
    assert (plain.text, plain.warnings) == (" An answer with </think> in it\n", ())
    empty = adapter(name).parse_reply(reply("<think>\n\n</think>\n\nYes"))
    assert (empty.text, empty.warnings) == ("Yes", ())


@pytest.mark.parametrize("text", ["<think>", "<think>\nOkay, the user", "<think>Hm.</think>\n "])
def test_thoughts_alone_are_no_answer(text):
    with pytest.raises(ProviderRejected, match="not answered") as raised:
        adapter().parse_reply(reply(text))
    assert "max_tokens" in raised.value.hint
    with pytest.raises(ProviderRejected, match="not answered"):
        streamed(adapter(), [text])


@given(
    st.sampled_from([THOUGHT, " \n" + THOUGHT, "<thin air>", "<", "  ", "a", "<think></think>b", "\n" * 300 + THOUGHT]),
    st.data(),
)
def test_any_cut_gives_the_same(text, data):
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    whole, pieces = AnswerOnly(), AnswerOnly()
    expected = whole.feed(text) + whole.rest()
    parts = [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]
    assert "".join(map(pieces.feed, parts)) + pieces.rest() == expected
    assert pieces.has_thoughts == whole.has_thoughts


def test_they_are_not_told_to_followers_either():
    done, told = streamed(adapter(), ["<th", "ink>\nA cat? </thi", "nk>\n", "\nA red ", "<think>cat</think>"])
    assert done.text == told == ANSWER
    done, told = streamed(adapter(), ["<", "b>bold</b>"])
    assert done.text == told == "<b>bold</b>"


def test_what_services_that_keep_them_apart_write_is_theirs():
    for name, settings in (("openai", {}), ("openrouter", {}), ("local", {})):
        assert not thinks_aloud(adapter(name, **settings))
    assert adapter("openrouter").parse_reply(reply(THOUGHT)).text == THOUGHT
    assert thinks_aloud(adapter("openai", openai_base_url="http://127.0.0.1:9/v1"))
