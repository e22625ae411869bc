"""What tests of backups share: settings of places to copy from and to, and jobs in every state."""

import shutil
import time
from dataclasses import dataclass, replace
from functools import partial

from genesis.database.open import open_database
from genesis.domain.attempt import AttemptState, ProviderClass
from genesis.domain.job import Job, JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.step import StepState
from genesis.engine.outcome import pending
from genesis.ports.ledger import Finish
from genesis.ports.workers import CallPending
from genesis.settings import Settings
from tests.support.jobs import job_of
from tests.support.ledger import TWO_STEPS, claim_one, decide, first_call

HOUR = 3_600_000
HANDLE = CallPending({"id": "seven"}, 1.0)


@dataclass(frozen=True)
class Place:
    """A platform's settings, and a way to empty its database."""

    settings: Settings

    def open(self):
        return open_database(self.settings)

    def destroy(self):
        """As a lost disk does."""
        for file in self.settings.db_path.parent.glob("jobs.db*"):
            file.unlink()
        shutil.rmtree(self.settings.storage_path, ignore_errors=True)


def place(folder, url=None):
    folder.mkdir(exist_ok=True)
    settings = Settings(
        db_path=folder / "jobs.db",
        database_url=url,
        storage_path=folder / "storage",
        fake_provider=True,
        local_provider=False,
        log_level="ERROR",
    )
    return Place(settings)


def pair(kind, folder):
    """Where a backup is made, and where it is restored, of a kind of database; not to be called in an event loop."""
    if kind == "sqlite":
        return place(folder / "old"), place(folder / "new")
    from tests.support.postgres import postgres_url

    return place(folder / "old", postgres_url()), place(folder / "new", postgres_url())


def now():
    return time.time_ns() // 1_000_000


async def jobs_in_every_state(opened) -> dict[str, Job]:
    """Jobs by what is to be seen of them; "me" is the executor that runs some."""
    ledger, moment = opened.ledger, now()
    await ledger.join("me")
    jobs: dict[str, Job] = {}

    async def begun(name, provider_class):
        job = job_of(TWO_STEPS, now=moment, wake_at=0, start_by=moment + HOUR, finish_by=moment + 2 * HOUR)
        await ledger.submit(job)
        jobs[name] = await claim_one(ledger, begin=partial(first_call, provider_class=provider_class))
        return jobs[name]

    for provider_class in ProviderClass:
        await begun(provider_class.value, provider_class)
    asked = await begun("pending", ProviderClass.HANDLE)
    (attempt,) = (await stored(opened, asked)).attempts
    await decide(ledger, asked, evidence=(pending(attempt, HANDLE),))
    half = await begun("half", ProviderClass.OPAQUE)
    (attempt,) = (await stored(opened, half)).attempts
    paid = replace(attempt, state=AttemptState.SUCCEEDED, settled_at=moment, cost=7, output={"text": "made"})
    done = replace(half.steps[0], state=StepState.DONE, output={"text": "made"}, completed_at=moment)
    await decide(ledger, half, evidence=(paid,), steps=(done,))
    over = await begun("over", ProviderClass.REPEATABLE)
    (attempt,) = (await stored(opened, over)).attempts
    free = replace(attempt, state=AttemptState.SUCCEEDED, settled_at=moment, cost=0)
    await decide(ledger, over, evidence=(free,), outcome=Finish(JobStatus.COMPLETED, {"text": "all"}))
    canceled = await begun("canceled", ProviderClass.REPEATABLE)
    await ledger.cancel(DEFAULT_ORGANIZATION, canceled.id)
    jobs["queued"] = job_of(TWO_STEPS, now=moment, wake_at=0, start_by=moment + HOUR, finish_by=moment + 2 * HOUR)
    jobs["later"] = job_of(TWO_STEPS, now=moment, wake_at=moment + HOUR)
    for name in ("queued", "later"):
        await ledger.submit(jobs[name])
    return jobs


async def stored(opened, job):
    return await opened.queries.job(DEFAULT_ORGANIZATION, job.id)
