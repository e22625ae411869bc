"""Speech by the Piper voice `joe` (VITS, Kim et al. 2021), with gruut for pronunciation; no part of it is copyleft."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, StringConstraints

from genesis.providers.local.models import VOICE_JOE, VOICE_JOE_CONFIG, VOICES
from genesis.providers.local.server.audio import wav_bytes
from genesis.providers.local.server.errors import RequestError
from genesis.providers.local.server.generation import Answer, Body, RequestModel, read_json
from genesis.providers.local.server.phonemes import Phrase, Word, paragraphs, phrases
from genesis.providers.local.server.threads import compute_threads
from genesis.providers.local.server.weights import verified

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST_TEXT = 10_000
"""In characters, about twelve minutes of speech."""

LONGEST_READ = 20_000
"""In characters with the numbers written out."""

PEAK = 0.9
"""Loudest sample of a finished recording, of 1."""

_FADE_SECONDS = 0.005


class SpeechRequest(RequestModel):
    input: Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]
    voice: str = VOICES[0]
    speed: float = Field(1.0, ge=0.25, le=4)
    response_format: Literal["wav"] = "wav"


class SpeechModel:
    """The voice, loaded.

    Args:
        session: the network: phoneme ids int64 [1, n], their number, and three scales in; samples in -1..1 out.
        config: the voice's own settings.
    """

    def __init__(self, session: Any, config: Mapping[str, Any]) -> None:
        self._session = session
        self._ids: Mapping[str, list[int]] = config["phoneme_id_map"]
        self._inference: Mapping[str, float] = config["inference"]
        self._rate: int = config["audio"]["sample_rate"]

    def answer(self, body: Body) -> Answer:
        """A WAV file, mono, 16 bits, 22,050 Hz.

        Raises:
            RequestError: a field is wrong, or nothing in the text can be spoken.
        """
        request = read_json(SpeechRequest, body)
        if request.voice not in VOICES:
            raise RequestError(
                f"There is no voice {request.voice!r}; there is: {', '.join(VOICES)}.",
                param="voice",
                code="unknown_voice",
            )
        lines = paragraphs(request.input)
        if sum(map(len, lines)) > LONGEST_READ:
            raise RequestError("The text takes too long to read aloud. Shorten it.", param="input")
        found = [phrase for line in lines for phrase in phrases(read_words(line))]
        if not found:
            raise RequestError("The text has nothing that can be spoken in English.", param="input")
        return Answer("audio/wav", wav_bytes(self._spoken(found, request.speed), self._rate))

    def _spoken(self, found: Sequence[Phrase], speed: float) -> "NDArray[np.float32]":
        """The phrases joined by silence, at one loudness."""
        import numpy as np

        parts = []
        for phrase in found:
            parts += [self._synthesized(phrase.ipa, speed), self._silence(phrase.pause_seconds / speed)]
        samples = np.concatenate(parts[:-1])
        loudest = float(np.abs(samples).max())
        return samples * (PEAK / loudest) if loudest else samples

    def _silence(self, seconds: float) -> "NDArray[np.float32]":
        import numpy as np

        return np.zeros(round(seconds * self._rate), dtype=np.float32)

    def _synthesized(self, ipa: str, speed: float) -> "NDArray[np.float32]":
        """One phrase; it begins and ends at zero, so that joins do not click."""
        import numpy as np

        ids = phoneme_ids(ipa, self._ids)
        settings = self._inference
        scales = [settings["noise_scale"], settings["length_scale"] / speed, settings["noise_w"]]
        samples: NDArray[np.float32] = self._session.run(
            None,
            {
                "input": np.array([ids], dtype=np.int64),
                "input_lengths": np.array([len(ids)], dtype=np.int64),
                "scales": np.array(scales, dtype=np.float32),
            },
        )[0].reshape(-1)
        ramp = np.linspace(0, 1, min(round(_FADE_SECONDS * self._rate), len(samples) // 2), dtype=np.float32)
        samples[: len(ramp)] *= ramp
        samples[len(samples) - len(ramp) :] *= ramp[::-1]
        return samples


def phoneme_ids(ipa: str, ids: Mapping[str, list[int]]) -> list[int]:
    """The ids of the symbols that the voice knows, each followed by the padding id, between start and end (Piper)."""
    padding = ids["_"]
    known = [number for symbol in ipa if symbol in ids for number in (*ids[symbol], *padding)]
    return [*ids["^"], *padding, *known, *ids["$"]]


def read_words(paragraph: str) -> Iterator[Word]:
    """The words and breaks of a paragraph, with numbers and abbreviations written out."""
    from gruut import sentences

    for sentence in sentences(paragraph, lang="en-us"):
        for word in sentence:
            if word.is_major_break:
                yield Word(word.text, pause=word.text if word.text in (".", "!", "?") else ".")
            elif word.is_minor_break:
                yield Word(word.text, pause=word.text if word.text in (",", ";", ":") else ",")
            else:
                yield Word(word.text, tuple(word.phonemes or ()))


def load() -> SpeechModel:
    """Loads the voice."""
    voice, config = verified(VOICE_JOE), verified(VOICE_JOE_CONFIG)
    import onnxruntime

    onnxruntime.set_seed(0)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = compute_threads()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(voice), options, providers=["CPUExecutionProvider"])
    return SpeechModel(session, json.loads(config.read_text(encoding="utf-8")))
