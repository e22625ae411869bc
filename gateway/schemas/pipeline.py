"""Pipelines as the API shows them."""

from typing import Any, Self

from pydantic import BaseModel, Field

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.pipeline import OnError
from genesis.pipelines.contract import Contract


class PipelineStepView(BaseModel):
    """One capability call of a pipeline."""

    name: str
    capability: str
    worker: str
    needs: list[str] = Field(description="Steps that settle before it.")
    when: str | None = Field(description="It is skipped unless this has a value.")
    on_error: OnError


class PipelineView(BaseModel):
    """A pipeline with JSON Schemas of what its jobs take and give."""

    type: str
    version: int
    description: str
    inputs: dict[str, Any] = Field(description="JSON Schema of a job's `inputs`.")
    options: dict[str, Any] = Field(description="JSON Schema of a job's `options`.")
    outputs: dict[str, Any] = Field(description="JSON Schema of a job's `outputs`.")
    steps: list[PipelineStepView]

    @classmethod
    def of(cls, contract: Contract) -> Self:
        pipeline = contract.pipeline
        return cls(
            type=pipeline.type,
            version=pipeline.version,
            description=pipeline.description,
            inputs=contract.inputs_schema(),
            options=contract.options.model_json_schema(),
            outputs=contract.outputs.model_json_schema(),
            steps=[
                PipelineStepView(
                    name=step.name,
                    capability=step.capability,
                    worker=CAPABILITIES[step.capability].worker,
                    needs=sorted(step.needs),
                    when=str(step.when) if step.when else None,
                    on_error=step.on_error,
                )
                for step in pipeline.steps
            ],
        )


class PipelineList(BaseModel):
    """All pipelines."""

    pipelines: list[PipelineView]
