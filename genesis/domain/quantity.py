"""What providers charge by."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum


class Unit(StrEnum):
    INPUT_TOKENS = "input_tokens"
    OUTPUT_TOKENS = "output_tokens"
    CHARACTERS = "characters"  # of the text that is spoken
    IMAGES = "images"
    MEGAPIXELS = "megapixels"  # millions of pixels of the images made
    AUDIO_SECONDS = "audio_seconds"  # of the recording that is transcribed, or of the speech that is made
    COMPUTE_SECONDS = "compute_seconds"
    PROVIDER_UNITS = "provider_units"  # what a provider itself counts as one


Quantities = Mapping[Unit, Decimal]
"""How much of each was used by one call; what is not known is left out."""
