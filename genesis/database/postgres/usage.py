"""What calls have come to, added up by PostgreSQL itself."""

from typing import Any

from genesis.database.usage import DAY_MILLISECONDS, MOST_ROWS, OWN, known_units, usage_bounds, usage_of
from genesis.domain.quantity import Unit
from genesis.domain.usage import Usage, UsageKey, UsageQuery

_COLUMNS = {
    UsageKey.DAY: f"attempts.created_at / {DAY_MILLISECONDS}",
    UsageKey.PROVIDER: "split_part(target, ':', 1)",
    UsageKey.MODEL: "target",
}
_TYPES = {UsageKey.DAY: "bigint", UsageKey.PROVIDER: "text", UsageKey.MODEL: "text"}
_SUMS = ", ".join(f"sum((used ->> '{unit}')::numeric) AS {unit}" for unit in Unit)
_USAGE = f"""
SELECT day, provider, model, count(*) AS calls, count(*) FILTER (WHERE state = 'succeeded') AS succeeded,
    count(*) FILTER (WHERE state = 'failed') AS failed, count(*) FILTER (WHERE state = 'unknown') AS unknown,
    sum(cost)::bigint AS cost, count(*) - count(cost) AS cost_unknown, {_SUMS}
FROM (
    SELECT {{columns}}, state, cost, CASE WHEN quantities <> '{{{{}}}}' THEN quantities::jsonb END AS used
    FROM attempts WHERE id >= $1 AND id < $2 AND created_at >= $3 AND created_at < $4 AND state <> 'not_sent'
        AND target NOT IN ({OWN}) AND (SELECT organization FROM jobs WHERE jobs.id = attempts.job) = $5
) AS calls
GROUP BY day, provider, model ORDER BY day, provider, model LIMIT {MOST_ROWS + 1}
"""


async def usage(connection: Any, organization: str, asked: UsageQuery) -> list[Usage]:
    """Groups of an organization's calls.

    Args:
        connection: a connection or a pool of them.
    """
    bounds = usage_bounds(asked)
    columns = ", ".join(
        f"({text if key in asked.by else 'NULL'})::{_TYPES[key]} AS {key}" for key, text in _COLUMNS.items()
    )
    query = _USAGE.format(columns=columns)
    found = await connection.fetch(query, bounds.lower, bounds.upper, bounds.begin, bounds.end, organization)
    return [usage_of(row, asked.by, known_units({unit.value: row[unit.value] for unit in Unit})) for row in found]
