"""Runs the demonstration: `python -m demo`. Prints a table and exits with 1 if a pipeline fails its checks."""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from genesis_client import GenesisClient, GenesisProblem, JobNotCompleted
from genesis_client.models import JobView

from demo.checks import CheckFailed, check_png, check_speech, check_text, check_words
from demo.instance import instance, sample_server

FOLDER = Path(__file__).parent
SAMPLES = FOLDER / "samples"
OUTPUT = FOLDER / "output"
SPOKEN = "Welcome to Genesis. Every job you send is kept, and every picture is drawn on this machine."
JOB_SECONDS = 180.0


@dataclass(frozen=True)
class Shown:
    """One pipeline of the table."""

    pipeline: str
    inputs: dict[str, str]
    options: dict[str, object]
    check: Callable[[GenesisClient, JobView], str]


def _text(_: GenesisClient, job: JobView) -> str:
    check_text(job.outputs.text)
    return (job.outputs.text or "").replace("\n", " ")


def _picture(size: tuple[int, int]) -> Callable[[GenesisClient, JobView], str]:
    def check(client: GenesisClient, job: JobView) -> str:
        check_png(client.download(job.outputs.image_url or ""), size)
        return f"{size[0]}×{size[1]} PNG"

    return check


def _speech(client: GenesisClient, job: JobView) -> str:
    check_speech(client.download(job.outputs.audio_url or ""))
    heard = client.run("speech_to_text", {"audio_url": job.outputs.audio_url}, timeout_seconds=JOB_SECONDS)
    rate = check_words(SPOKEN, heard.outputs.text, most=0.25)
    return f"audible, its transcription has a word error rate of {rate:.2f}"


def _transcription(_: GenesisClient, job: JobView) -> str:
    rate = check_words((SAMPLES / "boat.txt").read_text(encoding="utf-8"), job.outputs.text, most=0.2)
    return f"word error rate {rate:.2f}: {job.outputs.text}"


def _speech_to_picture(client: GenesisClient, job: JobView) -> str:
    _transcription(client, job)
    return f"{_picture((1024, 1024))(client, job)} of “{job.outputs.text}”"


def pipelines(client: GenesisClient, samples: str) -> list[Shown]:
    """All six, with what is checked of each; one takes a file at a URL, the others files that are uploaded."""
    recording, photograph = (client.upload(SAMPLES / name).id for name in ("boat.wav", "cat.jpg"))
    return [
        Shown("text_to_text", {"text": "Write one sentence about the sea."}, {"max_tokens": 60, "seed": 1}, _text),
        Shown(
            "text_to_image",
            {"text": "a lighthouse on a rocky coast at sunset, with a small boat"},
            {"style": "cinematic", "aspect_ratio": "3:2", "seed": 7},
            _picture((1216, 832)),
        ),
        Shown("text_to_speech", {"text": SPOKEN}, {}, _speech),
        Shown("speech_to_text", {"audio_url": f"{samples}/boat.wav"}, {}, _transcription),
        Shown("speech_to_image", {"audio_file": recording}, {"style": "watercolor", "seed": 3}, _speech_to_picture),
        Shown("image_to_image", {"image_file": photograph}, {"style": "mosaic"}, _picture((451, 300))),
    ]


def _keep(client: GenesisClient, job: JobView) -> str:
    """Saves the outputs and returns the names of the files."""
    names = []
    for url in (job.outputs.image_url, job.outputs.audio_url):
        if url:
            file = OUTPUT / f"{job.pipeline}{Path(url).suffix}"
            file.write_bytes(client.download(url))
            names.append(file)
    if job.outputs.text:
        file = OUTPUT / f"{job.pipeline}.txt"
        file.write_text(job.outputs.text + "\n", encoding="utf-8")
        names.append(file)
    return ", ".join(str(file.relative_to(FOLDER.parent)) for file in names)


def _show(client: GenesisClient, shown: Shown) -> bool:
    began = time.monotonic()
    try:
        job = client.run(shown.pipeline, shown.inputs, shown.options, timeout_seconds=JOB_SECONDS)
        seconds = time.monotonic() - began
        files = _keep(client, job)
        found = shown.check(client, job)
    except (CheckFailed, GenesisProblem, JobNotCompleted, TimeoutError) as error:
        print(f"{shown.pipeline:<16} FAILED after {time.monotonic() - began:.1f} s: {error}", flush=True)
        return False
    print(f"{shown.pipeline:<16} {seconds:5.1f} s  {job.metadata.provider:<8} {files}\n{'':<16} {found}", flush=True)
    return True


def main() -> int:
    """Runs all six and returns the exit code."""
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir()
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="genesis-demo-") as folder,
        sample_server(SAMPLES) as host,
        instance(Path(folder), allowed_host=host) as url,
        GenesisClient(url) as client,
    ):
        print(f"The platform started in {time.monotonic() - began:.1f} s.\n", flush=True)
        results = [_show(client, shown) for shown in pipelines(client, f"http://{host}")]
    print(f"\n{sum(results)} of {len(results)} pipelines passed in {time.monotonic() - began:.0f} s.")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
