"""Reads a pipeline document and proves that it can run; every error names its place in the document."""

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from pydantic import ValidationError

from genesis.capabilities.catalog import CAPABILITIES, Capability, field_kind
from genesis.capabilities.fields import Kind
from genesis.domain.expression import Expression, Reference
from genesis.domain.pipeline import Pipeline, PipelineStep, from_document
from genesis.errors import InvalidPipeline
from genesis.pipelines.document import PipelineDocument


def load_pipeline(document: Any) -> Pipeline:
    """Turns a parsed YAML document into a pipeline.

    Raises:
        InvalidPipeline: unknown part, step, capability, field or reference, a cycle, or an output of one kind
            that feeds an input of another.
    """
    pipeline = _read(document)
    _check_steps(pipeline)
    for place, expression in _expressions(pipeline):
        _check_references(pipeline, place, expression)
    for step in pipeline.steps:
        _check_kinds(pipeline, step)
    for name, expression in pipeline.outputs.items():
        _check_kind(pipeline, f"outputs.{name}", expression, Kind(name))
    _check_order(pipeline)
    return pipeline


def _wrong(pipeline: str, place: str, message: str, hint: str = "") -> InvalidPipeline:
    return InvalidPipeline(f"Pipeline `{pipeline}`, at {place}: {message}", hint=hint)


def _read(document: Any) -> Pipeline:
    name = str(document.get("type", "?")) if isinstance(document, Mapping) else "?"
    try:
        checked = PipelineDocument.model_validate(document)
        return from_document(checked.model_dump(mode="json", exclude_none=True))
    except ValidationError as error:
        first = error.errors()[0]
        raise _wrong(name, ".".join(str(part) for part in first["loc"]) or "the top", first["msg"]) from None
    except InvalidPipeline as error:
        raise _wrong(name, "an expression", error.message, error.hint) from None


def _check_steps(pipeline: Pipeline) -> None:
    seen: set[str] = set()
    for step in pipeline.steps:
        place = f"steps.{step.name}"
        if step.name in seen:
            raise _wrong(pipeline.type, place, "another step has the same name")
        seen.add(step.name)
        capability = CAPABILITIES.get(step.capability)
        if capability is None:
            known = ", ".join(CAPABILITIES)
            raise _wrong(pipeline.type, f"{place}.capability", f"there is no capability `{step.capability}`", known)
        _check_fields(pipeline, step, capability)


def _check_fields(pipeline: Pipeline, step: PipelineStep, capability: Capability) -> None:
    place = f"steps.{step.name}"
    for part, given, model in (
        ("input", step.input, capability.input),
        ("options", step.options, capability.options),
    ):
        for name in given:
            if name not in model.model_fields:
                message = f"capability `{capability.name}` has no {part} `{name}`"
                raise _wrong(pipeline.type, f"{place}.{part}.{name}", message, ", ".join(model.model_fields))
    for name, field in capability.input.model_fields.items():
        if field.is_required() and name not in step.input:
            raise _wrong(pipeline.type, f"{place}.input", f"`{name}` is missing")


def _expressions(pipeline: Pipeline) -> Iterator[tuple[str, Expression]]:
    for step in pipeline.steps:
        for part, expressions in (("input", step.input), ("options", step.options)):
            for name, expression in expressions.items():
                yield f"steps.{step.name}.{part}.{name}", expression
        if step.when:
            yield f"steps.{step.name}.when", Expression("", (((step.when,),),))
    for name, expression in pipeline.outputs.items():
        yield f"outputs.{name}", expression


def _check_references(pipeline: Pipeline, place: str, expression: Expression) -> None:
    inputs = {given.name for given in pipeline.inputs}
    options = set(option_sources(pipeline))
    for reference in expression.references:
        if reference.root == "inputs" and reference.name not in inputs:
            raise _wrong(pipeline.type, place, f"there is no input `{reference.name}`", ", ".join(sorted(inputs)))
        if reference.root == "options" and reference.name not in options:
            message = f"`{reference}` belongs to no step's options, so its type is unknown"
            raise _wrong(pipeline.type, place, message, "Pass it to a step's option of the same name.")
        if reference.step:
            _check_output(pipeline, place, reference)


def _check_output(pipeline: Pipeline, place: str, reference: Reference) -> None:
    step = next((step for step in pipeline.steps if step.name == reference.step), None)
    if step is None:
        raise _wrong(pipeline.type, place, f"there is no step `{reference.step}`")
    outputs = CAPABILITIES[step.capability].output.model_fields
    if reference.name not in outputs:
        message = f"step `{step.name}` has no output `{reference.name}`"
        raise _wrong(pipeline.type, place, message, ", ".join(outputs))


def _check_kinds(pipeline: Pipeline, step: PipelineStep) -> None:
    model = CAPABILITIES[step.capability].input
    for name, expression in step.input.items():
        _check_kind(pipeline, f"steps.{step.name}.input.{name}", expression, field_kind(model, name))


def _check_kind(pipeline: Pipeline, place: str, expression: Expression, wanted: Kind) -> None:
    for terms in expression.single or ((),):
        match terms:
            case (Reference() as reference,):
                found = _kind_of(pipeline, reference)
                if found is not wanted:
                    raise _wrong(pipeline.type, place, f"`{reference}` is {found}, but {wanted} is wanted")
            case _ if wanted is not Kind.TEXT:
                raise _wrong(pipeline.type, place, f"text cannot stand where {wanted} is wanted")


def _kind_of(pipeline: Pipeline, reference: Reference) -> Kind | str:
    if reference.step:
        step = next(step for step in pipeline.steps if step.name == reference.step)
        return field_kind(CAPABILITIES[step.capability].output, reference.name)
    if reference.root == "inputs":
        return Kind(next(given.kind for given in pipeline.inputs if given.name == reference.name))
    return "an option"


def _check_order(pipeline: Pipeline) -> None:
    try:
        TopologicalSorter({step.name: step.needs for step in pipeline.steps}).prepare()
    except CycleError as error:
        raise _wrong(pipeline.type, "steps", f"they wait for each other: {' → '.join(error.args[1])}") from None


def option_sources(pipeline: Pipeline) -> dict[str, tuple[Capability, str]]:
    """Where each job option goes: the capability and its option that give it its type; the last step's word counts."""
    return {
        reference.name: (CAPABILITIES[step.capability], name)
        for step in pipeline.steps
        if step.capability in CAPABILITIES
        for name, expression in step.options.items()
        for terms in expression.single or ()
        for reference in terms
        if isinstance(reference, Reference) and len(terms) == 1 and reference.root == "options"
    }
