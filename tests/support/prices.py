"""Prices for tests: a few that a test says, and no others."""

from decimal import Decimal

from genesis.domain.price import CostSource, Price
from genesis.domain.quantity import Unit

TEXT_PRICE = Price({Unit.INPUT_TOKENS: Decimal("0.000001"), Unit.OUTPUT_TOKENS: Decimal("0.000002")})
IMAGE_PRICE = Price({Unit.IMAGES: Decimal("0.04")})


class SetPrices:
    """Implements the port `Prices` with prices by model."""

    def __init__(self, source=CostSource.OPERATOR, **by_provider):
        self._source = source
        self._prices = by_provider

    def price(self, capability, target):
        price = self._prices.get(target.partition(":")[0])
        return None if price is None else (price, self._source)

    def load(self):
        pass
