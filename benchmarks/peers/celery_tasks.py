"""Celery's side: takes a job, asks the worker over HTTP, stores the answer. `celery -A benchmarks.peers.celery_tasks`."""

import json
import os

import httpx  # type: ignore[import-not-found, unused-ignore]
from celery import Celery  # type: ignore[import-not-found, unused-ignore]
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

celery = Celery("benchmark", broker=os.environ["BROKER_URL"])
celery.conf.update(
    task_acks_late=True,
    task_ignore_result=True,  # the result is in the job's row
    worker_prefetch_multiplier=4,
    broker_connection_retry_on_startup=True,
)


_http = httpx.Client(base_url=os.environ["WORKER_URL"], timeout=60)
_session_of = sessionmaker(create_engine(os.environ["DATABASE_URL"], pool_size=32))


@celery.task  # type: ignore[untyped-decorator, unused-ignore]
def run_job(job_id: str, prompt: str) -> None:
    with _session_of() as session:
        session.execute(text("UPDATE jobs SET status = 'running' WHERE id = :id"), {"id": job_id})
        session.commit()
    answer = _http.post("/generate", json={"text": prompt}).raise_for_status().json()
    with _session_of() as session:
        session.execute(
            text("UPDATE jobs SET status = 'completed', result = :result WHERE id = :id"),
            {"id": job_id, "result": json.dumps(answer)},
        )
        session.commit()
