"""The prices that are known: the operator's table first, then what the platform is shipped with."""

import logging
from importlib import resources
from pathlib import Path

from genesis.domain.price import CostSource, Price
from genesis.errors import Misconfigured
from genesis.prices import text
from genesis.prices.table import PriceTable, TableError, read_table

logger = logging.getLogger(__name__)

_SHIPPED = "shipped_prices.json"
_TEXT = "text"
_LARGEST_FILE = 4 * 1024 * 1024
_HINT = "The form of the file is described in architecture/02-money.md."


class KnownPrices:
    """Implements the port `Prices`.

    Args:
        operator: the table of whoever runs the platform; None where there is none.
    """

    def __init__(self, operator: PriceTable | None) -> None:
        self._operator = operator
        self._shipped: PriceTable | None = None

    def price(self, capability: str, target: str) -> tuple[Price, CostSource] | None:
        if self._operator is not None and (price := self._operator.price(capability, target)) is not None:
            return price, CostSource.OPERATOR
        shipped = self._shipped_price(capability, target)
        return None if shipped is None else (shipped, CostSource.CATALOG)

    def load(self) -> None:
        """Reads the shipped data, which is not read before some model that charges is asked."""
        text.load()
        self._table()

    def _shipped_price(self, capability: str, target: str) -> Price | None:
        try:
            if capability == _TEXT:
                provider, _, model = target.partition(":")
                return text.text_price(provider, model)
            return self._table().price(capability, target)
        except Exception:
            # The data are a stranger's: that they cannot be used must not fail a call that was paid for.
            logger.exception("the shipped price of %s cannot be used", target)
            return None

    def _table(self) -> PriceTable:
        if self._shipped is None:
            self._shipped = read_table(resources.files(__package__).joinpath(_SHIPPED).read_text(encoding="utf-8"))
        return self._shipped


def open_prices(path: Path | None) -> KnownPrices:
    """The prices that are known.

    Args:
        path: of the operator's table.

    Raises:
        Misconfigured: that cannot be read; the message names the file and the entry.
    """
    if path is None:
        return KnownPrices(None)
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
        return KnownPrices(_operator_table(content))
    except OSError as error:
        raise Misconfigured(f"PRICES_PATH: {path} cannot be read: {error.strerror}.", hint=_HINT) from None
    except UnicodeDecodeError:
        raise Misconfigured(f"PRICES_PATH: {path}: it is not UTF-8 text.", hint=_HINT) from None
    except TableError as error:
        raise Misconfigured(f"PRICES_PATH: {path}: {error}.", hint=_HINT) from None


def _operator_table(content: bytes) -> PriceTable:
    if len(content) > _LARGEST_FILE:
        raise TableError(f"it is larger than {_LARGEST_FILE // 1024 // 1024} MiB")
    return read_table(content.decode())
