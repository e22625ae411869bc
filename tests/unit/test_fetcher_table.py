"""The table of attacks on the fetcher names every test of them, and none that there is not."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "architecture" / "05-files.md"
ATTACKS = [ROOT / "tests" / "integration" / f"test_fetcher_{name}.py" for name in ("attacks", "hostile_answers")]
ROW = re.compile(r"^\| .+ \| .+ \| (`.+`) \|$", flags=re.MULTILINE)
NAMED = re.compile(r"`(\w+)(?:\[([a-z0-9-]+)\])?`")


def ids_of(decorators):
    calls = (node for decorator in decorators for node in ast.walk(decorator) if isinstance(node, ast.Call))
    keywords = (keyword for call in calls for keyword in call.keywords if keyword.arg == "id")
    return [keyword.value.value for keyword in keywords]


def attacks():
    tests = [
        node
        for path in ATTACKS
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]
    return {(node.name.removeprefix("test_"), one) for node in tests for one in ids_of(node.decorator_list) or [""]}


def test_the_table_names_every_attack_and_no_other():
    section = TABLE.read_text(encoding="utf-8").partition("## The fetcher under attack")[2].partition("\n## ")[0]
    named = [pair for cell in ROW.findall(section) for pair in NAMED.findall(cell)]
    assert len(named) > 150
    assert set(named) == attacks()
    assert len(named) == len(set(named))
