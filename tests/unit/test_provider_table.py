"""The table of what is proven about providers names tests that there are."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "architecture" / "04-providers.md"
NAMED = re.compile(r"`([a-z_/]+)::(test_\w+)`")


def defined_in(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def file_of(name):
    folder, _, stem = name.rpartition("/")
    return ROOT / "tests" / "providers" / folder / f"test_{stem}.py"


def test_every_test_that_the_table_names_exists():
    named = NAMED.findall(TABLE.read_text(encoding="utf-8"))
    assert len(named) > 50
    assert [(name, test) for name, test in named if test not in defined_in(file_of(name))] == []


def test_every_hosted_provider_is_in_the_table():
    rows = re.findall(r"^\| ([a-z]+) \|", TABLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    files = {path.stem for path in (ROOT / "genesis" / "providers").glob("*.py")} | {"huggingface", "local"}
    assert {"openrouter", "openai", "huggingface", "fal", "replicate", "elevenlabs", "local"} <= set(rows) & files
