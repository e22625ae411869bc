"""Writes the API's OpenAPI document: by default to frontend/openapi.json, from which the page's types are generated."""

import argparse
import json
from pathlib import Path

from gateway.main import create_app
from genesis.settings import Settings

DEFAULT_PATH = Path(__file__).resolve().parents[1] / "frontend" / "openapi.json"


def document() -> str:
    """The document as JSON, always alike for the same code: keys are sorted, and no setting shows in it."""
    return json.dumps(create_app(Settings()).openapi(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """Writes the document to the file that is named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path, nargs="?", default=DEFAULT_PATH, help="file to write")
    path: Path = parser.parse_args().path
    path.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
