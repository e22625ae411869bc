"""Events that a dump has brought from another server: their transaction ids, by which the feed is read, are not ours."""

from genesis.database.postgres.connection import Connection

# What a snapshot shows was written by transactions that it knows. One look at the index for each organization.
_IS_RESTORED = (
    "SELECT EXISTS (SELECT FROM organizations, LATERAL (SELECT transaction_id FROM events "
    "WHERE events.organization = organizations.id ORDER BY transaction_id DESC, id DESC LIMIT 1) AS newest "
    "WHERE transaction_id >= pg_snapshot_xmax(pg_current_snapshot()))"
)
# The table and its indexes are written anew, which takes a few seconds for a million events.
_BEFORE_ALL_OF_OURS = "ALTER TABLE events ALTER COLUMN transaction_id TYPE xid8 USING '0'::xid8"


async def is_restored(connection: Connection) -> bool:
    """Whether there are events of transactions that this server has not begun yet."""
    return bool(await connection.fetchval(_IS_RESTORED))


async def number_anew(connection: Connection) -> None:
    """Puts all events before those to come, in the order in which they were numbered; those of a job stay in order.

    Nobody may write meanwhile; positions in the feed that were given out before are not valid any more.
    """
    await connection.execute(_BEFORE_ALL_OF_OURS)
