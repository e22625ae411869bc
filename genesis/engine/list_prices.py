"""Prices as they hold for the providers of the workers: what is publicly known of a model is not for servers that stand in
the place of its provider."""

from genesis.domain.price import CostSource, Price
from genesis.engine.directory import WorkerDirectory
from genesis.ports.prices import Prices


class ListPrices:
    """Implements the port `Prices`: the operator's word for anybody, the catalog's for those who charge by it."""

    def __init__(self, prices: Prices, directory: WorkerDirectory) -> None:
        self._prices = prices
        self._directory = directory

    def price(self, capability: str, target: str) -> tuple[Price, CostSource] | None:
        found = self._prices.price(capability, target)
        if found is None or found[1] is not CostSource.CATALOG:
            return found
        return found if self._directory.has_list_prices(capability, target.partition(":")[0]) else None

    def load(self) -> None:
        """Reads what takes a moment to be read."""
        self._prices.load()
