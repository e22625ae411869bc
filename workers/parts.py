"""What the platform does itself with what is too long for one call: it cuts recordings, and joins spoken parts.

Both are free and alike on each call. They are asked for like models of a provider that no chain names.
"""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from genesis.capabilities.catalog import Capability
from genesis.capabilities.fields import AudioUrl, CapabilityModel
from genesis.capabilities.speech import AudioFormat
from genesis.domain.artifact import STORAGE_PREFIX, Artifact
from genesis.domain.attempt import ProviderClass
from genesis.domain.job import CUT, JOIN
from genesis.domain.money import Money
from genesis.domain.step import MOST_PARTS
from genesis.errors import InputRejected, ProviderAmbiguous, StorageUnavailable, Unavailable
from genesis.ports.blobs import BlobStore
from genesis.ports.workers import CallResult, Link
from genesis.providers.base import Done, Media, Provider
from workers.inputs import InputFiles
from workers.keeper import ResultKeeper
from workers.recordings import Part, UnusableRecording, cut, joined

OWN_PROVIDER = Provider(name=CUT.partition(":")[0], base_url="", provider_class=ProviderClass.REPEATABLE)

_MODELS = {"transcription": CUT, "speech": JOIN}
"""By capability; others cannot be done in parts."""


class CutInput(CapabilityModel):
    """The recording to be cut."""

    audio_url: AudioUrl


class CutOptions(CapabilityModel):
    """How long its parts may be: for the model that the job names, or for all of the chain."""

    model: str
    for_model: str | None = None


_Stored = Annotated[AudioUrl, StringConstraints(pattern=f"^{STORAGE_PREFIX}")]


class JoinInput(CapabilityModel):
    """Spoken parts in their order."""

    audio_urls: list[_Stored] = Field(min_length=1, max_length=MOST_PARTS)


class JoinOptions(CapabilityModel):
    """The format of what they become; WAV unless told otherwise."""

    model: str
    format: AudioFormat | None = None


class PartsRunner:
    """Cuts and joins for one capability.

    Args:
        limits: seconds of a recording that a call takes, by the provider's name; None for any number.
        links: the chain of the capability.
        call_seconds: longest that one call may take.
    """

    def __init__(
        self,
        capability: Capability,
        files: InputFiles,
        store: BlobStore,
        keeper: ResultKeeper,
        *,
        limits: Mapping[str, float | None],
        links: tuple[Link, ...],
        call_seconds: float,
    ) -> None:
        self._model = _MODELS.get(capability.name)
        self._files = files
        self._store = store
        self._keeper = keeper
        self._limits = limits
        self._links = links
        self._call_seconds = call_seconds

    def does(self, model: object) -> bool:
        """Whether a call of this model is for the platform itself."""
        return model is not None and model == self._model

    @property
    def contract(self) -> tuple[type[CapabilityModel], type[CapabilityModel]]:
        """What calls look like: their input and options."""
        return (JoinInput, JoinOptions) if self._model == JOIN else (CutInput, CutOptions)

    async def submit(self, call_key: str, call_input: Mapping[str, Any], options: Mapping[str, Any]) -> CallResult:
        """One call.

        Raises:
            CallFailed: any of its kinds.
        """
        deadline = asyncio.get_running_loop().time() + self._call_seconds
        try:
            async with asyncio.timeout_at(deadline):
                if self._model == JOIN:
                    return await self._joined(call_key, call_input["audio_urls"], options.get("format"), deadline)
                return await self._cut(call_key, call_input["audio_url"], options.get("for_model"))
        except UnusableRecording as error:
            raise InputRejected(error.message, hint=error.hint) from error
        except TimeoutError:
            raise ProviderAmbiguous(
                f"It was not done within {self._call_seconds:g} seconds.", hint="Raise CALL_TIMEOUT_SECONDS."
            ) from None

    async def _joined(self, call_key: str, urls: list[str], wanted: str | None, deadline: float) -> CallResult:
        parts = [(await self._files.read(url, "audio")).data for url in urls]
        whole = Media(await asyncio.to_thread(joined, parts), "audio/wav")
        del parts
        artifact, warnings = await self._keeper.keep(Done(media=whole), call_key, deadline, wanted)
        output = {} if artifact is None else {"audio_url": artifact.url}
        return CallResult(output, JOIN, cost=Money(0), warnings=warnings, artifact=artifact)

    async def _cut(self, call_key: str, url: str, for_model: str | None) -> CallResult:
        longest = self._longest(for_model)
        if longest is None:
            raise InputRejected("Every model takes a recording of any length, so that none is to be cut.")
        recording = await self._files.read(url, "audio")
        pieces = cut(recording.data, longest)
        parts: list[dict[str, Any]] = []
        while (piece := await asyncio.to_thread(_next, pieces)) is not None:
            if len(parts) == MOST_PARTS:
                raise InputRejected(
                    f"The recording needs more than {MOST_PARTS} parts of {longest:g} seconds.",
                    hint="Use several jobs, or name a model in options.model that takes longer recordings.",
                )
            stored = await self._stored(f"audio/{call_key}-{len(parts) + 1}.flac", piece)
            parts.append({"audio_url": stored.url, "start": piece.start, "end": piece.end})
        if not parts:
            raise InputRejected("The recording has no sound.")
        return CallResult({"text": "", "parts": parts}, CUT, cost=Money(0))

    async def _stored(self, key: str, part: Part) -> Artifact:
        try:
            return await self._store.write(key, part.data, "audio/flac")
        except Unavailable as error:
            raise StorageUnavailable(error.message, hint=error.hint) from error

    def _longest(self, for_model: str | None) -> float | None:
        """What all models take that may be asked."""
        names = {link.provider for link in self._links} if for_model is None else {for_model.partition(":")[0]}
        known = [limit for name in names if (limit := self._limits.get(name)) is not None]
        return min(known, default=None)


def _next(pieces: Iterator[Part]) -> Part | None:
    return next(pieces, None)
