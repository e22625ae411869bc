"""Pipelines: what can be generated."""

from fastapi import APIRouter

from gateway.dependencies import EngineDependency
from gateway.schemas.pipeline import PipelineList, PipelineView

router = APIRouter(tags=["pipelines"])


@router.get("/pipelines")
async def list_pipelines(engine: EngineDependency) -> PipelineList:
    """Lists the pipelines with JSON Schemas of their inputs, options and outputs."""
    return PipelineList(pipelines=[PipelineView.of(contract) for contract in engine.pipelines.values()])
