"""What models charge, as the engine asks for it."""

from typing import Protocol

from genesis.domain.price import CostSource, Price


class Prices(Protocol):
    """Knows prices; nothing that it does waits for a network."""

    def price(self, capability: str, target: str) -> tuple[Price, CostSource] | None:
        """The price of a model, `provider:name`, for a capability, and who says so; None when it is not known."""

    def load(self) -> None:
        """Reads what takes a moment to be read, so that `price` is quick from then on; to be called in a thread."""
