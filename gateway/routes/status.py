"""How the platform is: alive and ready."""

import asyncio

from fastapi import APIRouter, Request, Response

from gateway.dependencies import possible_engine_of, store_watch_of
from gateway.schemas.status import Health, LedgerStatus, Readiness, StoreStatus, WorkerStatus
from genesis import __version__
from genesis.capabilities.catalog import CAPABILITIES
from genesis.engine.engine import Engine
from genesis.errors import Unavailable

router = APIRouter(tags=["status"])

_CHECK_SECONDS = 5.0
_NOT_ASKED = "It is asked once the database answers."


@router.head("/health", include_in_schema=False)
@router.get("/health")
async def health() -> Health:
    """Says that the gateway lives."""
    return Health(version=__version__)


@router.head("/ready", include_in_schema=False)
@router.get("/ready", responses={503: {"model": Readiness}})
async def ready(request: Request, response: Response) -> Readiness:
    """Says whether the ledger and every worker answer, the store takes files and somebody runs jobs, and why not. While
    workers or executors are missing, jobs are accepted and wait."""
    engine = possible_engine_of(request)
    missing = dict.fromkeys(CAPABILITIES, _NOT_ASKED) if engine is None else engine.directory.missing
    workers = [
        WorkerStatus(
            worker=capability.worker,
            capability=capability.name,
            ready=capability.name not in missing,
            reason=missing.get(capability.name),
        )
        for capability in CAPABILITIES.values()
    ]
    if engine is None:
        ledger, executors = LedgerStatus(ready=False, reason=request.app.state.waiting_for), None
    else:
        ledger, executors = await _ledger(engine)
    watch = store_watch_of(request)
    store = None if watch is None else StoreStatus(ready=watch.trouble is None, reason=watch.trouble)
    everything = ledger.ready and not missing and bool(executors) and (store is None or store.ready)
    if not everything:
        response.status_code = 503
    return Readiness(ready=everything, ledger=ledger, executors=executors, store=store, workers=workers)


async def _ledger(engine: Engine) -> tuple[LedgerStatus, int | None]:
    """How the ledger is, and how many executors it knows where it answers."""
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            waiting = await engine.check()
            return LedgerStatus(ready=True, reason=waiting), await engine.live_executors()
    except Unavailable as error:
        return LedgerStatus(ready=False, reason=error.message), None
    except TimeoutError:
        return LedgerStatus(ready=False, reason=f"It has not answered within {_CHECK_SECONDS:g} seconds."), None
