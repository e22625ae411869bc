"""The README's examples are run as they stand, but for the port and the names of files."""

import re
import subprocess
from pathlib import Path

import httpx2
import pytest

from tests.support.processes import ROOT, free_port, server

README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = [block for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL) if "curl" in block]
NAMES = re.findall(r"^(?:AUDIO|IMAGE)=.*$", README, re.MULTILINE)
PYTHON = re.search(r"```python\n(.*?)```", README, re.DOTALL)[1]


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readme")
    # A real job that the last example can still cancel: the fake provider takes its time.
    with server(folder, free_port(), GENESIS_FAKE_DELAY_MS="400") as process:
        yield process.url


def test_all_pipelines_have_an_example():
    text = "\n".join(EXAMPLES)
    for pipeline in (
        "text_to_text",
        "text_to_image",
        "text_to_speech",
        "speech_to_text",
        "speech_to_image",
        "image_to_image",
    ):
        assert f'"{pipeline}"' in text


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_example_works(platform, example):
    # Whatever comes first, there is a job to look at, and what another example has named is known.
    ordered = httpx2.post(f"{platform}/jobs", json={"pipeline": "text_to_text", "inputs": {"text": "the newest"}})
    assert ordered.status_code == 201
    script = "\n".join([*NAMES, example]).replace("localhost:8000", platform.removeprefix("http://"))
    done = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, timeout=60, check=True, cwd=ROOT)
    assert "job_id" in done.stdout or "batch_id" in done.stdout
    assert '"code":"' not in done.stdout.split('"steps"')[0], done.stdout


def test_the_python_example_works(platform, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(PYTHON.replace("http://127.0.0.1:8000", platform), {})
    assert Path("lighthouse.png").read_bytes().startswith(b"\x89PNG")
