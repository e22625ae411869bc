"""The same pipeline on DBOS: a workflow of one step, which asks the worker over HTTP; DBOS keeps its state.

Tuned: JSON instead of pickle, one fixed version, SQLite in WAL mode instead of a rollback journal, and workflows that are
started at once instead of through a polled queue (which is slower).
"""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID  # type: ignore[import-not-found, unused-ignore]
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import Engine, create_engine, event

_URL = os.environ["DATABASE_URL"]
_QUEUE = os.environ.get("DBOS_QUEUE", "")
_session: aiohttp.ClientSession


def _sqlite_in_wal_mode() -> Engine:
    engine = create_engine(_URL)

    @event.listens_for(engine, "connect")
    def _(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 30000", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _config() -> DBOSConfig:
    config = DBOSConfig(
        name="benchmark",
        system_database_url=_URL,
        application_version="1",
        log_level="WARNING",
        serializer=DBOSPortableJSONSerializer(),
    )
    if _URL.startswith("sqlite"):
        config["system_database_engine"] = _sqlite_in_wal_mode()
    return config


class JobRequest(BaseModel):
    """What a caller sends."""

    pipeline: str
    inputs: dict[str, str]
    options: dict[str, Any] = {}


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    global _session
    DBOS(config=_config())
    DBOS.launch()
    if _QUEUE:
        await DBOS.register_queue_async(_QUEUE, worker_concurrency=100, polling_interval_sec=0.01)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as _session:
        yield
    DBOS.destroy()


app = FastAPI(lifespan=_lifespan)


@DBOS.step()  # type: ignore[untyped-decorator, unused-ignore]
async def generate(prompt: str) -> str:
    async with _session.post(os.environ["WORKER_URL"] + "/generate", json={"text": prompt}) as reply:
        return str((await reply.json())["text"])


@DBOS.workflow()  # type: ignore[untyped-decorator, unused-ignore]
async def text_to_text(prompt: str) -> dict[str, str]:
    return {"text": await generate(prompt)}


@app.post("/jobs", status_code=201)
async def create_job(body: JobRequest) -> dict[str, str]:
    job_id = str(uuid.uuid4())
    with SetWorkflowID(job_id):
        if _QUEUE:
            await DBOS.enqueue_workflow_async(_QUEUE, text_to_text, body.inputs["text"])
        else:
            await DBOS.start_workflow_async(text_to_text, body.inputs["text"])
    return {"job_id": job_id, "status": "queued"}


@app.get("/jobs/{job_id}")
async def get_job(job_id: str) -> dict[str, Any]:
    found = await DBOS.get_workflow_status_async(job_id)
    if found is None:
        raise HTTPException(404)
    status = "completed" if found.status == "SUCCESS" else "running"
    return {"job_id": job_id, "status": status, "outputs": found.output}


@app.get("/health")
async def health() -> str:
    return "ok"
