"""The usual way: FastAPI and SQLAlchemy store the job in PostgreSQL, Celery takes its id from Redis."""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import JSON
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from benchmarks.peers.celery_tasks import run_job

_engine = create_async_engine(os.environ["ASYNC_DATABASE_URL"], pool_size=10)
_session = async_sessionmaker(_engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """All tables."""


class Job(Base):
    """A job's row."""

    __tablename__ = "jobs"

    id: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class JobRequest(BaseModel):
    """What a caller sends."""

    pipeline: str
    inputs: dict[str, str]
    options: dict[str, Any] = {}


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with _engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await _engine.dispose()


app = FastAPI(lifespan=_lifespan)


@app.post("/jobs", status_code=201)
async def create_job(body: JobRequest) -> dict[str, str]:
    job = Job(id=uuid.uuid4().hex, status="queued", request=body.model_dump())
    async with _session() as session:
        session.add(job)
        await session.commit()
    run_job.delay(job.id, body.inputs["text"])
    return {"job_id": job.id, "status": job.status}


@app.get("/jobs/{job_id}")
async def get_job(job_id: str) -> dict[str, Any]:
    async with _session() as session:
        job = await session.get(Job, job_id)
    if job is None:
        raise HTTPException(404)
    return {"job_id": job.id, "status": job.status, "outputs": job.result}


@app.get("/health")
async def health() -> str:
    return "ok"
