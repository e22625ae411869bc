"""Makes genesis/prices/shipped_prices.json out of LiteLLM's table of prices: images and audio of providers we can call.

The table is `litellm/model_prices_and_context_window_backup.json` in LiteLLM's wheel, which is unpacked anywhere and not
installed: `python tools/shipped_prices.py FILE --version 1.106.10 --taken-on 2026-11-23`.
"""

import argparse
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parents[1] / "genesis" / "prices" / "shipped_prices.json"
PROVIDERS = {"openai": "openai", "fal_ai": "fal", "elevenlabs": "elevenlabs", "groq": "groq", "mistral": "mistral"}
"""Our names of LiteLLM's providers; those of which it has no media (replicate, together, huggingface) are missing."""
LICENSE = (
    "Made from LiteLLM's model_prices_and_context_window_backup.json, Copyright (c) 2023 Berri AI, MIT License: "
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated "
    'documentation files (the "Software"), to deal in the Software without restriction, including without limitation '
    "the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to "
    "permit persons to whom the Software is furnished to do so, subject to the following conditions: The above copyright "
    "notice and this permission notice shall be included in all copies or substantial portions of the Software. THE "
    'SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE '
    "WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS "
    "OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR "
    "OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE."
)
MILLION = Decimal(1_000_000)


def main() -> None:
    """Writes the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="LiteLLM's table")
    parser.add_argument("--version", required=True, help="LiteLLM's version")
    parser.add_argument("--taken-on", required=True, help="the day of its download, as YYYY-MM-DD")
    given = parser.parse_args()
    models: dict[str, Any] = json.loads(given.source.read_text(encoding="utf-8"), parse_float=Decimal)
    prices = [entry for key in sorted(models) for entry in entries(key, models[key])]
    about = {"source": "LiteLLM", "version": given.version, "taken_on": given.taken_on, "license": LICENSE}
    head = json.dumps({"about": about}, indent=1)[:-2]
    lines = ",\n  ".join(json.dumps(entry) for entry in prices)
    TARGET.write_text(f'{head},\n "prices": [\n  {lines}\n ]\n}}\n', encoding="utf-8")
    print(f"{len(prices)} prices, {TARGET.stat().st_size} bytes")  # noqa: T201


def entries(key: str, model: dict[str, Any]) -> list[dict[str, str]]:
    """The lines of one model; none where it is not ours or its price depends on what we do not count."""
    provider = PROVIDERS.get(str(model.get("litellm_provider")))
    name = key.removeprefix(f"{model.get('litellm_provider')}/")
    if provider is None or "-x-" in name:  # the latter are parts of models that are listed whole
        return []
    named = {"model": f"{provider}:{name}"}
    match model.get("mode"):
        case "audio_transcription":
            return lines(named, per_audio_minute=rate(model, "input_cost_per_second", 60))
        case "audio_speech":
            return lines(named, per_million_characters=rate(model, "input_cost_per_character", MILLION)) or lines(
                named, per_audio_minute=rate(model, "output_cost_per_second", 60)
            )
        case "image_generation" | "image_edit":
            return image_lines(named, model)
    return []


def image_lines(named: dict[str, str], model: dict[str, Any]) -> list[dict[str, str]]:
    """Images are charged by pixels, by image, or by tokens, of which those of an image to be changed are dearer."""
    output = rate(model, "output_cost_per_image_token", MILLION)
    if output:
        words = {"per_million_input_tokens": rate(model, "input_cost_per_token", MILLION)}
        pixels = {"per_million_input_tokens": rate(model, "input_cost_per_image_token", MILLION)}
        return [
            *lines(named | {"capability": "image"}, **words, per_million_output_tokens=output),
            *lines(named | {"capability": "image_transform"}, **pixels, per_million_output_tokens=output),
        ]
    return (
        lines(named, per_megapixel=rate(model, "output_cost_per_pixel", MILLION))
        or lines(named, per_image=rate(model, "output_cost_per_image", 1))
        or lines(named, per_image=rate(model, "input_cost_per_image", 1))
    )


def rate(model: dict[str, Any], field: str, times: Decimal | int) -> str:
    """Dollars for so many units, without needless digits; empty where there is no price."""
    dollars = round(Decimal(model.get(field) or 0) * times, 9)
    return format(dollars.normalize(), "f") if dollars else ""


def lines(named: dict[str, str], **prices: str) -> list[dict[str, str]]:
    """One line, where all of its prices are known."""
    return [named | prices] if all(prices.values()) else []


if __name__ == "__main__":
    main()
