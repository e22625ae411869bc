"""Files of strangers crash, hang and fill a child process; the next file is examined all the same."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from PIL import Image

from genesis.errors import Unavailable, UnsupportedMedia
from genesis.files.examiner import NOT_EXAMINED, Examiner
from tests.support.samples import picture, sound

FAILING = "tests.support.failing_examiner"
SETTLED_SECONDS = 20.0

Open = Callable[..., Examiner]


@pytest.fixture
async def open_examiner() -> AsyncIterator[Open]:
    opened: list[Examiner] = []

    def open_one(**options: object) -> Examiner:
        opened.append(Examiner(**{"module": FAILING, **options}))
        return opened[-1]

    yield open_one
    for examiner in opened:
        await examiner.close()


def written(folder: Path, data: bytes, name: str = "file") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def is_running(pid: int | None) -> bool:
    return pid is not None and Path(f"/proc/{pid}").exists()


class TestExamining:
    async def test_an_image(self, tmp_path: Path) -> None:
        examiner = Examiner()
        try:
            found = await examiner.examine(written(tmp_path, picture("PNG")), "image/png")
        finally:
            await examiner.close()
        assert (found.problem, found.details.width, found.details.thumbnails) == ("", 8, (320,))
        assert found.thumbnails[320].startswith(b"RIFF")
        assert found.peaks is None

    async def test_a_recording(self, tmp_path: Path) -> None:
        examiner = Examiner()
        try:
            found = await examiner.examine(written(tmp_path, sound("mp3", "libmp3lame")), "audio/mpeg")
        finally:
            await examiner.close()
        assert (found.problem, found.details.codec, found.details.has_peaks) == ("", "mp3", True)
        assert json.loads(found.peaks or b"")["duration_ms"] == found.details.duration_ms

    async def test_a_file_without_use(self, tmp_path: Path, open_examiner: Open) -> None:
        found = await open_examiner().examine(written(tmp_path, b"text"), "image/png")
        assert found.problem == "The image cannot be decoded."

    async def test_many_at_once_take_turns(self, tmp_path: Path, open_examiner: Open) -> None:
        examiner = open_examiner()
        path = written(tmp_path, picture("PNG"))
        found = await asyncio.gather(*(examiner.examine(path, "image/png") for _ in range(20)))
        assert {one.details.width for one in found} == {8}

    async def test_what_a_library_prints_is_no_answer(self, tmp_path: Path, open_examiner: Open) -> None:
        examiner = open_examiner()
        await examiner.examine(written(tmp_path, b"print"), "image/png")
        assert (await examiner.examine(written(tmp_path, picture("PNG")), "image/png")).details.width == 8


class TestFailures:
    @pytest.mark.parametrize("what", ["crash", "garbage", "endless", "odd", "exit"])
    async def test_a_file_that_breaks_the_child(self, tmp_path: Path, open_examiner: Open, what: str) -> None:
        examiner = open_examiner()
        good = written(tmp_path, picture("PNG"), "good")
        assert (await examiner.examine(good, "image/png")).problem == ""
        assert (await examiner.examine(written(tmp_path, what.encode()), "image/png")).problem == NOT_EXAMINED
        assert (await examiner.examine(good, "image/png")).problem == ""

    async def test_a_file_that_hangs(self, tmp_path: Path, open_examiner: Open) -> None:
        examiner = open_examiner(wait_seconds=1.0)
        good = written(tmp_path, picture("PNG"), "good")
        await examiner.examine(good, "image/png")
        first = examiner.pid
        assert (await examiner.examine(written(tmp_path, b"hang"), "image/png")).problem == NOT_EXAMINED
        assert not is_running(first)
        assert (await examiner.examine(good, "image/png")).problem == ""
        assert examiner.pid != first

    async def test_a_file_that_computes_for_too_long(self, tmp_path: Path, open_examiner: Open) -> None:
        examiner = open_examiner(cpu_seconds=1)
        good = written(tmp_path, picture("PNG"), "good")
        for _ in range(2):
            assert (await examiner.examine(written(tmp_path, b"compute"), "image/png")).problem == NOT_EXAMINED
            assert (await examiner.examine(good, "image/png")).problem == ""

    async def test_the_time_is_each_files_own(self, tmp_path: Path, open_examiner: Open) -> None:
        """The kernel counts what the child has computed for all its files."""
        examiner = open_examiner(cpu_seconds=2)
        noise = tmp_path / "noise.png"
        Image.effect_noise((1800, 1800), 90).save(noise)
        await examiner.examine(noise, "image/png")
        first = examiner.pid
        until = time.monotonic() + 60
        while _computed(first) < 4 and time.monotonic() < until:
            assert (await examiner.examine(noise, "image/png")).problem == ""
        assert examiner.pid == first

    async def test_a_file_that_fills_the_memory(self, tmp_path: Path, open_examiner: Open) -> None:
        examiner = open_examiner()
        found = await examiner.examine(written(tmp_path, b"fill"), "image/png")
        assert found.problem == NOT_EXAMINED
        assert (await examiner.examine(written(tmp_path, picture("PNG")), "image/png")).problem == ""

    async def test_a_canceled_examination_takes_its_child_along(self, tmp_path: Path, open_examiner: Open) -> None:
        examiner = open_examiner()
        good = written(tmp_path, picture("PNG"), "good")
        await examiner.examine(good, "image/png")
        first = examiner.pid
        task = asyncio.create_task(examiner.examine(written(tmp_path, b"hang"), "image/png"))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not is_running(first)
        assert (await examiner.examine(good, "image/png")).details.width == 8

    async def test_a_child_that_does_not_start_is_not_the_files_fault(
        self, tmp_path: Path, open_examiner: Open
    ) -> None:
        examiner = open_examiner(module="tests.support.nothing")
        with pytest.raises(Unavailable):
            await examiner.examine(written(tmp_path, picture("PNG")), "image/png")


class TestChild:
    async def test_it_has_limits_and_no_secrets(
        self, tmp_path: Path, open_examiner: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
        monkeypatch.setenv("DATABASE_URL", "postgresql://user:secret@db/genesis")
        found = await open_examiner().examine(written(tmp_path, b"surroundings"), "image/png")
        facts = json.loads(found.problem)
        assert "secret" not in json.dumps(facts["environment"])
        assert facts["niceness"] >= 10
        assert facts["limits"]["memory"] == 2 * 1024**3
        assert facts["limits"]["core"] == 0
        assert facts["limits"]["files"] <= 64

    async def test_it_ends_when_it_is_idle_and_starts_again(self, tmp_path: Path, open_examiner: Open) -> None:
        examiner = open_examiner(idle_seconds=0.2)
        path = written(tmp_path, picture("PNG"))
        assert examiner.pid is None
        await examiner.examine(path, "image/png")
        first = examiner.pid
        assert is_running(first)
        until = time.monotonic() + SETTLED_SECONDS
        while is_running(first) and time.monotonic() < until:
            await asyncio.sleep(0.05)
        assert not is_running(first)
        assert examiner.pid is None
        assert (await examiner.examine(path, "image/png")).problem == ""

    async def test_closing_ends_it_whatever_it_is_at(self, tmp_path: Path, open_examiner: Open) -> None:
        examiner = open_examiner()
        await examiner.examine(written(tmp_path, picture("PNG")), "image/png")
        first = examiner.pid
        task = asyncio.create_task(examiner.examine(written(tmp_path, b"hang"), "image/png"))
        await asyncio.sleep(0.2)
        await examiner.close()
        assert (await task).problem == NOT_EXAMINED
        assert not is_running(first)
        with pytest.raises(Unavailable):
            await examiner.examine(written(tmp_path, picture("PNG")), "image/png")

    async def test_closing_while_it_starts(self, tmp_path: Path, open_examiner: Open) -> None:
        examiner = open_examiner()
        task = asyncio.create_task(examiner.examine(written(tmp_path, picture("PNG")), "image/png"))
        await asyncio.sleep(0)
        await examiner.close()
        with pytest.raises(Unavailable):
            await task
        assert examiner.pid is None

    async def test_a_signal_to_all_processes_is_no_problem_of_a_file(self, tmp_path: Path, open_examiner: Open) -> None:
        examiner, path = open_examiner(), written(tmp_path, picture("PNG"))
        await examiner.examine(path, "image/png")
        first = examiner.pid
        os.kill(first or 0, signal.SIGTERM)
        assert (await examiner.examine(path, "image/png")).problem == ""
        assert examiner.pid == first

    async def test_it_ends_with_its_parent(self, tmp_path: Path) -> None:
        path = written(tmp_path, picture("PNG"))
        program = (
            "import asyncio, os, pathlib\n"
            "from genesis.files.examiner import Examiner\n"
            "async def main():\n"
            "    examiner = Examiner()\n"
            f"    await examiner.examine(pathlib.Path({str(path)!r}), 'image/png')\n"
            "    print(examiner.pid, flush=True)\n"
            "    os._exit(9)\n"
            "asyncio.run(main())\n"
        )
        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", program], capture_output=True, check=False, env=_with_root()
        )
        pid = int(done.stdout)
        until = time.monotonic() + SETTLED_SECONDS
        while _is_alive(pid) and time.monotonic() < until:
            await asyncio.sleep(0.05)
        assert not _is_alive(pid)


class TestStripping:
    async def test_a_copy_without_metadata(self, tmp_path: Path, open_examiner: Open) -> None:
        given = written(tmp_path, picture("JPEG", comment=b"a secret"))
        copy = await open_examiner().stripped(given, "image/jpeg")
        try:
            assert b"a secret" not in copy.read_bytes()
            with Image.open(copy) as image:
                assert image.size == (8, 8)
            assert copy.parent != given.parent
        finally:
            copy.unlink()

    async def test_what_cannot_be_written(
        self, tmp_path: Path, open_examiner: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        left = tmp_path / "temporary"
        left.mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(left))
        with pytest.raises(UnsupportedMedia, match="without its metadata"):
            await open_examiner().stripped(written(tmp_path, b"text"), "image/png")
        assert list(left.iterdir()) == []

    async def test_a_full_disk_is_no_problem_of_the_file(
        self, tmp_path: Path, open_examiner: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usage = shutil.disk_usage("/")._replace(free=1_000)
        monkeypatch.setattr("genesis.files.examiner.shutil.disk_usage", lambda _: usage)
        with pytest.raises(Unavailable, match="no room"):
            await open_examiner().stripped(written(tmp_path, b"text"), "image/png")


def test_importing_the_examiner_loads_no_decoder() -> None:
    program = (
        "import sys, genesis.files.examiner; print(*(name for name in ('PIL', 'av', 'numpy') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True, env=_with_root())
    assert done.stdout.strip() == ""


def _with_root() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}


def _computed(pid: int | None) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _is_alive(pid: int) -> bool:
    """Whether it runs; a process that nobody has waited for is there and does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
