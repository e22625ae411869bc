"""Pipelines: declarative graphs of capability calls, and the form in which a job keeps its own copy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from genesis.domain.expression import Expression, Reference


class OnError(StrEnum):
    """What a failed step means for its job."""

    FAIL = "fail"
    CONTINUE = "continue"  # later steps see no output of it


@dataclass(frozen=True, slots=True)
class PipelineInput:
    """An input that a job has to bring.

    Attributes:
        kind: `text`, `audio_url` or `image_url`.
    """

    name: str
    kind: str
    description: str


@dataclass(frozen=True, slots=True)
class PipelineStep:
    """One capability call.

    Attributes:
        input: expressions by input field of the capability.
        options: expressions by option of the capability; those without a value are left out of the call.
        when: the step is skipped unless this has a value.
        needs: names of the steps that have to settle before it.
    """

    name: str
    capability: str
    input: Mapping[str, Expression]
    options: Mapping[str, Expression]
    when: Reference | None = None
    on_error: OnError = OnError.FAIL
    needs: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        steps = frozenset(reference.step for reference in self.references if reference.step)
        object.__setattr__(self, "needs", steps)

    @property
    def references(self) -> tuple[Reference, ...]:
        """All that it refers to."""
        expressions = (*self.input.values(), *self.options.values())
        found = tuple(reference for expression in expressions for reference in expression.references)
        return (*found, self.when) if self.when else found


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A graph of steps from typed inputs to outputs."""

    type: str
    version: int
    description: str
    inputs: tuple[PipelineInput, ...]
    steps: tuple[PipelineStep, ...]
    outputs: Mapping[str, Expression]


def to_document(pipeline: Pipeline) -> dict[str, Any]:
    """The pipeline as plain data, in the same form as its YAML file."""
    return {
        "type": pipeline.type,
        "version": pipeline.version,
        "description": pipeline.description,
        "inputs": {given.name: {"kind": given.kind, "description": given.description} for given in pipeline.inputs},
        "steps": [_step_document(step) for step in pipeline.steps],
        "outputs": {name: expression.source for name, expression in pipeline.outputs.items()},
    }


def _step_document(step: PipelineStep) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": step.name,
        "capability": step.capability,
        "input": {name: expression.source for name, expression in step.input.items()},
        "options": {name: expression.source for name, expression in step.options.items()},
        "on_error": step.on_error.value,
    }
    return document | ({"when": str(step.when)} if step.when else {})


def from_document(document: Mapping[str, Any]) -> Pipeline:
    """Rebuilds a pipeline from data that `to_document` made or the validator has checked.

    Raises:
        InvalidPipeline: an expression in it cannot be read.
    """
    return Pipeline(
        type=document["type"],
        version=document["version"],
        description=document["description"],
        inputs=tuple(PipelineInput(name, **given) for name, given in document["inputs"].items()),
        steps=tuple(_step(step) for step in document["steps"]),
        outputs={name: Expression.parse(source) for name, source in document["outputs"].items()},
    )


def _step(document: Mapping[str, Any]) -> PipelineStep:
    return PipelineStep(
        name=document["name"],
        capability=document["capability"],
        input={name: Expression.parse(source) for name, source in document["input"].items()},
        options={name: Expression.parse(source) for name, source in document["options"].items()},
        when=Reference.parse(document["when"]) if "when" in document else None,
        on_error=OnError(document["on_error"]),
    )
