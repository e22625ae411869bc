"""The shape of a pipeline file, before its meaning is checked."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from genesis.capabilities.fields import Kind
from genesis.domain.pipeline import OnError

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class InputDocument(_Part):
    kind: Kind
    description: str


class StepDocument(_Part):
    name: Name
    capability: str
    input: dict[Name, Any]
    options: dict[Name, Any] = {}
    when: str | None = None
    on_error: OnError = OnError.FAIL


class PipelineDocument(_Part):
    """One pipeline file."""

    type: Name
    version: int = Field(ge=1)
    description: str
    inputs: dict[Name, InputDocument] = Field(min_length=1)
    steps: list[StepDocument] = Field(min_length=1, max_length=64)
    outputs: dict[Kind, str] = Field(min_length=1)
