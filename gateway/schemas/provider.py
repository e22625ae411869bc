"""Providers, their models' health and the chains of models, as the API shows them."""

from datetime import datetime

from pydantic import BaseModel, Field

from gateway.schemas.job import ErrorView
from genesis.domain.attempt import ProviderClass
from genesis.engine.breaker import BreakerState


class ModelHealthView(BaseModel):
    """How a model has done since the gateway's process has started, as it has seen it."""

    model: str = Field(description="As `provider:name`.")
    breaker: BreakerState = Field(
        description="`open` while it rests because it failed several times in a row; `trial` until the next call decides."
    )
    rests_until: datetime | None
    calls: int
    failures: int
    latency_ms: float | None = Field(description="Of calls that succeeded; a moving average.")
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_error: ErrorView | None


class ChainLinkView(BaseModel):
    """A model of a chain."""

    model: str = Field(description="As `provider:name`.")
    group: int = Field(
        description="Models of one group share the load; the next group is asked when they cannot serve."
    )
    weight: int
    usable: bool = Field(description="Whether its provider is configured.")


class ChainView(BaseModel):
    """The models that the steps of one capability are tried with which name none, in order."""

    capability: str
    links: list[ChainLinkView]


class ProviderView(BaseModel):
    """A provider of one capability."""

    name: str
    capability: str
    configured: bool
    missing: str = Field(description="What has to be set or installed when it is not configured.")
    models: list[str] = Field(description="Known models as `provider:name`, the default first.")
    any_model: bool = Field(description="Whether other models of the provider can be named.")
    slots: int = Field(description="Calls that it may have under way at once.")
    in_doubt: ProviderClass = Field(
        description="What is done about a call whose outcome is in doubt: `repeatable` calls are free and made again, "
        "`keyed` ones are sent again under the same key, a `handle` is asked for, and of `opaque` ones nobody knows."
    )
    health: list[ModelHealthView] = Field(description="Of its models that have been asked.")


class ProviderList(BaseModel):
    """All providers by capability, and the chains of models that steps are tried with which name none."""

    providers: list[ProviderView]
    chains: list[ChainView]
