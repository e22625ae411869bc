"""Events as the API gives them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from genesis.domain.event import EventType


class EventView(BaseModel):
    """Something that happened to a job."""

    type: EventType
    job_id: str
    seq: int = Field(description="Counts from 1 within the job, without gaps.")
    cursor: str = Field(description="Its place among all events of the organization.")
    at: datetime
    data: dict[str, Any] = Field(description="What the type says more.", examples=[{"step": "generate"}])


class TextDeltaView(BaseModel):
    """A piece of the text that a job is writing; a piece of another attempt begins the step's text anew.

    Pieces are not kept: who comes later gets what is written so far as one piece, and the whole is in the job's output.
    """

    type: Literal["text-delta"]
    job_id: str
    step: str
    attempt: str
    offset: int = Field(description="Characters of the attempt's text before it.")
    text: str


class StreamView(BaseModel):
    """The first message of a WebSocket of all jobs: from where it can be continued."""

    type: Literal["stream-opened"]
    cursor: str
