"""The table of providers, and the chain of those that serve a capability."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.attempt import ProviderClass
from genesis.errors import Misconfigured
from genesis.providers import elevenlabs, fake, fake_paid, fal, openai, openai_compatible, openrouter, replicate
from genesis.providers.base import Provider
from genesis.providers.huggingface import row as huggingface
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


_HOSTED: tuple[Row, ...] = (
    Row(lambda _, __: fake.provider(), offered=lambda settings: settings.fake_provider),
    *(_fake_paid(one) for one in (ProviderClass.KEYED, ProviderClass.HANDLE, ProviderClass.OPAQUE)),
    Row(lambda settings, _: openrouter.provider(settings)),
    Row(lambda settings, _: openai.provider(settings)),
    Row(lambda settings, _: huggingface.provider(settings)),
    Row(lambda settings, _: fal.provider(settings)),
    Row(lambda settings, _: replicate.provider(settings)),
    Row(lambda settings, _: elevenlabs.provider(settings)),
)
_LOCAL = Row(lambda _, capability: local.provider(capability), offered=lambda settings: settings.local_provider)
ROWS: tuple[Row, ...] = (*_HOSTED, _LOCAL)
"""In the order in which they are asked; servers that speak OpenAI's API come before the last."""


_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}", re.ASCII)
ENTRY_POINTS = "genesis.providers"
"""The group in which installed packages name their providers: functions of the settings that return a `Provider`."""


def providers(settings: Settings, capability: str) -> tuple[Provider, ...]:
    """The providers that serve a capability, in the order in which they are asked.

    Those that cannot be called yet stand behind the others, with what is `missing`; those of installed packages, which
    nobody has put into an order, behind all others of their kind.

    Raises:
        Misconfigured: a setting of a provider, or an installed package, cannot be used.
    """
    offered = [
        *_offered(_HOSTED, settings, capability),
        *openai_compatible.providers(settings, {row.build(settings, capability).name for row in ROWS}),
        *_offered((_LOCAL,), settings, capability),
        *_installed(settings),
    ]
    names = [one.name for one in offered]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise Misconfigured(f"There are two providers named `{twice}`.", hint="Give one of them another name.")
    return tuple(sorted((one for one in offered if capability in one.services), key=lambda one: bool(one.missing)))


def _offered(rows: tuple[Row, ...], settings: Settings, capability: str) -> list[Provider]:
    return [row.build(settings, capability) for row in rows if row.offered(settings)]


def _installed(settings: Settings) -> list[Provider]:
    found = []
    for entry_point in entry_points(group=ENTRY_POINTS):
        try:
            provider = entry_point.load()(settings)
        except Exception as error:
            raise Misconfigured(
                f"The provider `{entry_point.name}` of an installed package cannot be used: {type(error).__name__}.",
                hint=f"Correct or uninstall the package of {entry_point.value}.",
            ) from error
        if not isinstance(provider, Provider):
            raise Misconfigured(
                f"The entry point `{entry_point.name}` gives no provider.",
                hint=f"{entry_point.value} has to return a genesis.providers.base.Provider.",
            )
        if wrong := _wrong_with(provider):
            raise Misconfigured(
                f"The provider `{entry_point.name}` of an installed package cannot be used: {wrong}.",
                hint=f"Correct or uninstall the package of {entry_point.value}.",
            )
        found.append(provider)
    return found


def _wrong_with(provider: Provider) -> str:
    """Why a provider cannot be used; empty when it can."""
    if not _NAME.fullmatch(provider.name):
        return f"its name {provider.name!r} is not of small letters, digits, `-` and `_`"
    if unknown := sorted(provider.services.keys() - CAPABILITIES.keys()):
        return f"`{unknown[0]}` is no capability"
    if without := [name for name, service in provider.services.items() if not service.models]:
        return f"it names no model for {without[0]}"
    return "it has no slot" if provider.slots is not None and provider.slots < 1 else ""
