"""Kills the server with -9 while files come and go: none that was accepted is lost, none comes back, nothing is left over."""

import asyncio
import random
import threading
import time

import httpx2
import pytest

from genesis.database.open import open_database
from genesis.domain.file import ids_in
from genesis.files.examiner import Examiner
from genesis.files.upkeep import Upkeep
from genesis.settings import Settings
from genesis.storage.open import open_receipts, open_store
from tests.support.ledger import SetClock
from tests.support.processes import free_port, server
from tests.support.uploads import png, settings_on, wav

KILLS = 4
CLIENTS = 4
DAYS_LATER = 2 * 86_400_000


class Client(threading.Thread):
    """Uploads files and deletes some of them; knows what it was told of each."""

    def __init__(self, url, seed):
        super().__init__(daemon=True)
        self._url = url
        self._random = random.Random(seed)
        self.kept, self.deleted, self.doubtful = {}, set(), set()
        self.refusals = 0
        self.over = threading.Event()

    def run(self):
        while not self.over.is_set():
            try:
                self._work()
            except httpx2.HTTPError:
                self.refusals += 1
                time.sleep(0.05)

    def _work(self):
        with httpx2.Client(base_url=self._url, timeout=30) as client:
            if self.kept and self._random.random() < 0.3:
                file = self._random.choice(sorted(self.kept))
                self.doubtful.add(file)
                if client.delete(f"/files/{file}").status_code == 204:
                    self.deleted.add(file)
                return
            shape = png(60, 40) if self._random.random() < 0.5 else wav(0.5)
            content = shape + self._random.randbytes(self._random.choice([10, 3_000_000]))
            answer = client.post("/files", content=content)
            if answer.status_code == 201:
                self.kept[answer.json()["id"]] = content


def settings_for(folder, store):
    settings = Settings(db_path=folder / "jobs.db", storage_path=folder / "storage")
    return settings_on("s3", settings) if store == "s3" else settings


def environment_of(settings):
    if settings.storage_url is None:
        return {}
    return {
        "STORAGE_URL": settings.storage_url,
        "AWS_ENDPOINT_URL": settings.aws_endpoint_url,
        "AWS_ACCESS_KEY_ID": settings.aws_access_key_id.get_secret_value(),
        "AWS_SECRET_ACCESS_KEY": settings.aws_secret_access_key.get_secret_value(),
    }


async def swept(settings):
    """The ids that the store names once it has been swept, long afterwards, and those of them that are known."""
    store, clock = open_store(settings), SetClock()
    clock.time = time.time_ns() // 1_000_000 + DAYS_LATER
    try:
        async with open_database(settings) as database:
            await Upkeep(store, open_receipts(settings), database.files, Examiner(), clock, settings).sweep()
            ids = {one for blob in [blob async for blob in store.blobs()] for one in ids_in(blob.key)}
            return ids, await database.files.known(ids)
    finally:
        await store.close()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("store", ["file", "s3"])
def test_no_accepted_file_is_lost(tmp_path, store):
    dice, port = random.Random(20261123), free_port()
    settings = settings_for(tmp_path, store)
    env = environment_of(settings)
    clients = [Client(f"http://127.0.0.1:{port}", seed) for seed in range(CLIENTS)]
    for number in range(KILLS):
        with server(tmp_path, port, **env) as process:
            if number == 0:
                for client in clients:
                    client.start()
            time.sleep(dice.uniform(0.5, 2.0))
            process.kill()
    for client in clients:
        client.over.set()
        client.join(60)
    assert all(client.refusals for client in clients), "nothing was under way at any kill: this test has shown nothing"

    ids, known = asyncio.run(swept(settings))
    assert ids == known
    with server(tmp_path, port, **env) as process, httpx2.Client(base_url=process.url, timeout=30) as asking:
        for client in clients:
            for file, content in client.kept.items():
                answer = asking.get(f"/files/{file}/content")
                if file in client.deleted or (file in client.doubtful and answer.status_code == 410):
                    assert answer.status_code == 410
                    assert file not in ids
                else:
                    assert answer.content == content
    assert any(client.deleted for client in clients)
