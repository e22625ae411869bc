"""Pipelines and jobs for tests."""

from typing import Any

from genesis.domain.identity import new_id
from genesis.domain.job import Job
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.pipeline import Pipeline
from genesis.domain.step import Step
from genesis.pipelines.catalog import builtin_pipelines
from genesis.pipelines.validator import load_pipeline


def pipeline(*steps: dict[str, Any], outputs: dict[str, str] | None = None) -> Pipeline:
    """A pipeline from text to text."""
    return load_pipeline(
        {
            "type": "trial",
            "version": 1,
            "description": "For tests.",
            "inputs": {"text": {"kind": "text", "description": "Any text."}},
            "steps": list(steps),
            "outputs": outputs or {"text": f"${{steps.{steps[-1]['name']}.text}}"},
        }
    )


def text_step(name: str, source: str = "${inputs.text}", **more: Any) -> dict[str, Any]:
    """A step that generates text."""
    return {"name": name, "capability": "text", "input": {"text": source}, **more}


def job_of(plan: Pipeline | str, *, now: int = 1_000, **changes: Any) -> Job:
    """A new job of a pipeline or of a built-in one."""
    if isinstance(plan, str):
        plan = builtin_pipelines()[plan].pipeline
    given: dict[str, Any] = {
        "id": new_id(),
        "organization": DEFAULT_ORGANIZATION,
        "pipeline": plan.type,
        "inputs": {"text": "hello"},
        "options": {},
        "plan": plan,
        "created_at": now,
        "wake_at": now,
        "steps": tuple(Step(step.name, step.capability) for step in plan.steps),
    }
    return Job(**(given | changes))
