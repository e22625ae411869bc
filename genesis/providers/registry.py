"""The table of providers, and the chain of those that serve a capability."""

from collections.abc import Callable
from dataclasses import dataclass

from genesis.domain.attempt import ProviderClass
from genesis.providers import fake, fake_paid, huggingface, openrouter
from genesis.providers.base import Provider
from genesis.providers.local import adapter as local
from genesis.settings import Settings


def _always(_: Settings) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Row:
    """One provider.

    Attributes:
        build: makes it, for a capability.
        offered: whether it exists at all under these settings.
    """

    build: Callable[[Settings, str], Provider]
    offered: Callable[[Settings], bool] = _always


def _fake_paid(provider_class: ProviderClass) -> Row:
    return Row(
        lambda settings, _: fake_paid.provider(provider_class, settings.fake_url or ""),
        offered=lambda settings: settings.fake_url is not None,
    )


ROWS: tuple[Row, ...] = (
    Row(lambda _, __: fake.provider(), offered=lambda settings: settings.fake_provider),
    *(_fake_paid(one) for one in (ProviderClass.KEYED, ProviderClass.HANDLE, ProviderClass.OPAQUE)),
    Row(lambda settings, _: openrouter.provider(settings)),
    Row(lambda settings, _: huggingface.provider(settings)),
    Row(lambda _, capability: local.provider(capability), offered=lambda settings: settings.local_provider),
)
"""In the order in which they are asked."""


def providers(settings: Settings, capability: str) -> tuple[Provider, ...]:
    """The providers that serve a capability, in the order in which they are asked.

    Those that cannot be called yet stand behind the others, with what is `missing`.

    Raises:
        Misconfigured: a setting of a provider cannot be used.
    """
    offered = (row.build(settings, capability) for row in ROWS if row.offered(settings))
    return tuple(sorted((one for one in offered if capability in one.services), key=lambda one: bool(one.missing)))
