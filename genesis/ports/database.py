"""An opened database, whatever kind it is."""

from dataclasses import dataclass

from genesis.ports.clock import Clock
from genesis.ports.files import FileRecords
from genesis.ports.ledger import Ledger
from genesis.ports.queries import Queries
from genesis.ports.signals import Signals


@dataclass(frozen=True, slots=True)
class Database:
    """Both sides of the ledger, the records of files, hints at changes, and the time that all goes by."""

    ledger: Ledger
    queries: Queries
    signals: Signals
    clock: Clock
    files: FileRecords
