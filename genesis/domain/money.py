"""Money as whole micro-dollars; what is unknown is None, never zero."""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation


class Money(int):
    """An amount in millionths of a US dollar."""

    __slots__ = ()

    @classmethod
    def from_dollars(cls, dollars: Decimal | int | str) -> "Money":
        """Converts an exact dollar amount; floats are not taken, parse JSON with `parse_float=Decimal`.

        Raises:
            ValueError: the amount is not a finite number.
        """
        try:
            amount = Decimal(dollars)
        except InvalidOperation:
            raise ValueError(f"{dollars!r} is not an amount of money") from None
        if not amount.is_finite():
            raise ValueError(f"{dollars!r} is not an amount of money")
        return cls((amount * 1_000_000).to_integral_value(ROUND_HALF_EVEN))


def total(amounts: list[Money | None]) -> Money | None:
    """The sum, or None as soon as one amount is unknown or there is none."""
    known = [amount for amount in amounts if amount is not None]
    return Money(sum(known)) if known and len(known) == len(amounts) else None


def known_total(amounts: list[Money | None]) -> Money:
    """The sum of the amounts that are known."""
    return Money(sum(amount for amount in amounts if amount is not None))
