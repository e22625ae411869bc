"""Prices of text models, from the package `genai-prices` (MIT), which keeps those of some 45 providers with their history.

It is imported when a price of a provider that charges is first needed: that takes 60 ms and 6 MB, and 0.4 seconds and 15 MB
where Python has no bytecode of it yet.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from genesis.domain.price import Price
from genesis.domain.quantity import Unit

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice

_MILLION = Decimal(1_000_000)
_KNOWN_MODELS = 1_024
_FREE = (":free", "openrouter/free")
"""End the names of what OpenRouter never charges for (https://openrouter.ai/docs/guides/routing/model-variants/free)."""


def load() -> None:
    """Reads the data, as the first question would."""
    _model("openai", "gpt-4o-mini")


def text_price(provider: str, model: str, at: datetime | None = None) -> Price | None:
    """The price of a text model; None when it is not known.

    Args:
        model: as the provider calls it; at Hugging Face with the partner that serves it behind a colon.
        at: prices change; now unless given.
    """
    if provider == "openrouter" and model.endswith(_FREE):
        return Price({Unit.INPUT_TOKENS: Decimal(0), Unit.OUTPUT_TOKENS: Decimal(0)})
    if provider == "huggingface":
        model, _, partner = model.rpartition(":")
        provider = f"huggingface_{partner}"
    info = _model(provider, model) if model else None
    return None if info is None else _price(info.get_prices(at or datetime.now(UTC)))


def is_seller(provider: str, url: str) -> bool:
    """Whether a URL is that of a provider's own API, so that it charges what is publicly known of it."""
    from genai_prices.data_snapshot import get_snapshot

    known = next((one for one in get_snapshot().providers if one.id == provider), None)
    return known is not None and re.match(known.api_pattern, url) is not None


@lru_cache(_KNOWN_MODELS)
def _model(provider: str, model: str) -> "ModelInfo | None":
    from genai_prices.data_snapshot import get_snapshot

    known = get_snapshot().providers
    found = next((one for one in known if one.id == provider), None)
    return None if found is None else found.find_model(model.lower(), all_providers=known)


def _price(model: "ModelPrice") -> Price | None:
    """What a text call is charged by: tokens. One that is charged by request as well is left out."""
    if model.requests_kcount is not None:
        return None
    dollars: dict[Unit, Decimal] = {}
    limits: list[int] = []
    for unit, given in ((Unit.INPUT_TOKENS, model.input_mtok), (Unit.OUTPUT_TOKENS, model.output_mtok)):
        if given is None:
            return None
        if isinstance(given, Decimal):
            dollars[unit] = given / _MILLION
        else:
            dollars[unit] = given.base / _MILLION
            limits.extend(tier.start for tier in given.tiers)
    return Price(dollars, min(limits, default=None))
