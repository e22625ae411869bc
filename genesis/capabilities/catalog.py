"""The table of capabilities and of the workers that serve them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from genesis.capabilities.fields import CallOptions, CapabilityModel, Kind
from genesis.capabilities.image import ImageInput, ImageOptions, ImageOutput
from genesis.capabilities.image_transform import ImageTransformInput, ImageTransformOptions, ImageTransformOutput
from genesis.capabilities.speech import SpeechInput, SpeechOptions, SpeechOutput
from genesis.capabilities.text import TextInput, TextOptions, TextOutput
from genesis.capabilities.transcription import TranscriptionInput, TranscriptionOptions, TranscriptionOutput


@dataclass(frozen=True, slots=True)
class Capability:
    """One kind of generation.

    Attributes:
        worker: name of the worker service that offers it; fixed by the platform's public contract.
        port: where that worker listens unless told otherwise.
    """

    name: str
    worker: str
    port: int
    input: type[CapabilityModel]
    options: type[CallOptions]
    output: type[CapabilityModel]

    @property
    def output_field(self) -> str:
        """The one field of its output."""
        return next(iter(self.output.model_fields))

    @property
    def output_kind(self) -> Kind:
        """What its output is."""
        return field_kind(self.output, self.output_field)


def field_kind(model: type[CapabilityModel], field: str) -> Kind:
    """What a field of an input or output is."""
    return Kind(model.model_json_schema()["properties"][field]["format"])


@cache
def longest(model: type[CapabilityModel], field: str) -> int | None:
    """Characters that a field may have; None for any number."""
    limits = (getattr(part, "max_length", None) for part in model.model_fields[field].metadata)
    return next((limit for limit in limits if limit is not None), None)


CAPABILITIES: Mapping[str, Capability] = MappingProxyType(
    {
        capability.name: capability
        for capability in (
            Capability("text", "llm", 8001, TextInput, TextOptions, TextOutput),
            Capability("image", "image", 8002, ImageInput, ImageOptions, ImageOutput),
            Capability("transcription", "stt", 8003, TranscriptionInput, TranscriptionOptions, TranscriptionOutput),
            Capability("speech", "tts", 8004, SpeechInput, SpeechOptions, SpeechOutput),
            Capability(
                "image_transform", "cyclegan", 8005, ImageTransformInput, ImageTransformOptions, ImageTransformOutput
            ),
        )
    }
)
