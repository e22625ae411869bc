"""The built-in pipelines, read and checked once."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import yaml

from genesis.pipelines.contract import Contract, contract_of
from genesis.pipelines.validator import load_pipeline


@cache
def builtin_pipelines() -> Mapping[str, Contract]:
    """All built-in pipelines by type, in the order of the specification.

    Raises:
        InvalidPipeline: a shipped file is wrong.
    """
    names = (
        "text_to_text",
        "text_to_image",
        "text_to_speech",
        "speech_to_text",
        "speech_to_image",
        "image_to_image",
    )
    folder = files("genesis.pipelines.builtin")
    texts = {name: (folder / f"{name}.yaml").read_text(encoding="utf-8") for name in names}
    return MappingProxyType({name: contract_of(load_pipeline(yaml.safe_load(text))) for name, text in texts.items()})
