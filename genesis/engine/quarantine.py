"""When an executor begins nothing, so that suspects may run apart from others on it (line 22 of the protocol)."""

from collections.abc import Iterable

from genesis.engine.lease import since_boot

_PATIENCE_SECONDS = 10.0
"""That the first try waits for all else to end; each further one twice as long."""
_LONGEST_PATIENCE_SECONDS = 600.0
_REST_SECONDS = 30.0
"""After a try that has led to nothing, or only to suspects that wait for something."""
_REST_FACTOR = 3.0
"""Rest after a try in vain, as a multiple of it."""
_SHORTEST_REST_SECONDS = 3.0


class Quarantine:
    """The tries to let suspects run, and the rests between them, in which everything else goes on."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._suspects: frozenset[str] = frozenset()
        self._patience = _PATIENCE_SECONDS
        self._rest = _REST_SECONDS
        self._not_before = 0.0
        self._is_turn = False  # whether the rest is that of others, and not one from a try in vain

    @property
    def is_on(self) -> bool:
        """Whether nothing but suspects may begin."""
        return self._since is not None

    @property
    def may_begin(self) -> bool:
        """Whether it is time for another try."""
        return not self.is_on and since_boot() >= self._not_before

    @property
    def has_had_its_suspects(self) -> bool:
        """Whether some have run, or run."""
        return bool(self._suspects)

    def begin(self) -> None:
        self._since = since_boot()

    def patience_left(self) -> float:
        """Seconds that it still waits for what runs to end; no limit once these are the suspects."""
        return float("inf") if self._since is None or self._suspects else self._since + self._patience - since_boot()

    def give_up(self) -> None:
        """Ends a try that has waited in vain; the next one has more patience, so that there is a last one."""
        self._rest = max(_REST_SECONDS, _REST_FACTOR * self._patience)
        self._patience = min(2 * self._patience, _LONGEST_PATIENCE_SECONDS)
        self.end()

    def occupy(self, jobs: Iterable[str]) -> None:
        """Notes which suspects run."""
        self._suspects, self._patience = frozenset(jobs), _PATIENCE_SECONDS

    def note_end(self, job_id: str) -> None:
        """Notes that a job is over; if it is a suspect, others have their turn for as long as that has taken."""
        if self._since is not None and job_id in self._suspects:
            self._rest = max(_SHORTEST_REST_SECONDS, since_boot() - self._since)

    def end_rest(self) -> None:
        """Notes that nobody else wants a turn; a try in vain is rested from all the same."""
        if self._is_turn:
            self._not_before = 0.0

    def end(self) -> None:
        """Lets everything begin again."""
        self._not_before = since_boot() + self._rest
        self._is_turn = self.has_had_its_suspects
        self._since, self._suspects, self._rest = None, frozenset(), _REST_SECONDS
