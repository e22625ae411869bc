"""What calls have come to, added up by SQLite itself; quantities by a function of ours, for they are exact decimals."""

import json
import sqlite3
from decimal import Decimal

from genesis.database.rows import quantities_from
from genesis.database.sqlite.loading import rows
from genesis.database.usage import DAY_MILLISECONDS, EXACT, MOST_ROWS, OWN, usage_bounds, usage_of
from genesis.domain.usage import Usage, UsageKey, UsageQuery

_DAY = f"attempts.created_at / {DAY_MILLISECONDS}"
_PROVIDER = "substr(target, 1, instr(target || ':', ':') - 1)"
_COLUMNS = {UsageKey.DAY: _DAY, UsageKey.PROVIDER: _PROVIDER, UsageKey.MODEL: "target"}
# The attempts are gone through in the order of their ids, never from the jobs: whence the cross join.
_USAGE = """
SELECT {columns}, count(*) AS calls, sum(attempts.state = 'succeeded') AS succeeded, sum(attempts.state = 'failed') AS failed,
    sum(attempts.state = 'unknown') AS unknown, sum(cost) AS cost, sum(cost IS NULL) AS cost_unknown,
    add_quantities(quantities) AS quantities
FROM attempts CROSS JOIN jobs ON jobs.id = attempts.job
WHERE attempts.id >= :lower AND attempts.id < :upper AND attempts.created_at >= :begin AND attempts.created_at < :end
    AND attempts.state <> 'not_sent' AND target NOT IN ({own}) AND jobs.organization = :organization
GROUP BY {groups} ORDER BY {groups} LIMIT {most}
"""


class AddQuantities:
    """The aggregate function `add_quantities` of columns with quantities."""

    def __init__(self) -> None:
        self._sums: dict[str, Decimal] = {}

    def step(self, column: str) -> None:
        if column == "{}":
            return
        for name, amount in json.loads(column).items():
            self._sums[name] = EXACT.add(self._sums.get(name, Decimal(0)), Decimal(amount))

    def finalize(self) -> str:
        return json.dumps({name: str(amount) for name, amount in self._sums.items()})


def add_usage_functions(connection: sqlite3.Connection) -> None:
    """Gives a connection what `usage` needs."""
    connection.create_aggregate("add_quantities", 1, AddQuantities)  # type: ignore[arg-type]  # its step takes one value


def usage(connection: sqlite3.Connection, organization: str, asked: UsageQuery) -> list[Usage]:
    """Groups of an organization's calls."""
    bounds = usage_bounds(asked)
    columns = ", ".join(f"{text if key in asked.by else 'NULL'} AS {key}" for key, text in _COLUMNS.items())
    groups = ", ".join(str(number) for number in range(1, len(_COLUMNS) + 1))
    values = {
        "organization": organization,
        "lower": bounds.lower,
        "upper": bounds.upper,
        "begin": bounds.begin,
        "end": bounds.end,
    }
    query = _USAGE.format(columns=columns, groups=groups, own=OWN, most=MOST_ROWS + 1)
    found = rows(connection.execute(query, values))
    return [usage_of(row, asked.by, quantities_from(row["quantities"])) for row in found]
