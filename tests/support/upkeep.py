"""Files whose upkeep is done when a test says so."""

import asyncio
import os
import time

from genesis.domain.file import MediaDetails
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.files.examination import Examination
from genesis.files.service import Files, Wishes
from genesis.storage.open import open_receipts
from tests.support.uploads import pieces, png, wav

HOUR = 3_600_000
PNG, WAV = png(640, 480), wav(1)


class Guesses:
    """Examines without looking."""

    def __init__(self):
        self.asked = []

    async def examine(self, path, media_type):
        self.asked.append(path)
        await asyncio.sleep(0)
        return Examination(MediaDetails(width=640, thumbnails=(320,)), thumbnails={320: b"small"})


def files_of(store, records, clock, settings, examiner=None):
    return Files(store, open_receipts(settings), records, examiner or Guesses(), Guesses(), clock, settings)


async def uploaded(files, content=PNG, **wishes):
    return await files.upload(DEFAULT_ORGANIZATION, pieces(content), lambda: Wishes(**wishes))


def name_of(key):
    """As which a content lies in a folder."""
    return key.rpartition("/")[2]


def age(settings, key, hours):
    """Makes a content so many hours older."""
    (path,) = settings.storage_path.rglob(name_of(key))
    then = time.time() - hours * 3600
    os.utime(path, (then, then))
