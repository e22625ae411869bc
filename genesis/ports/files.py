"""The records of files, in the same database as the jobs that make and use them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from genesis.domain.artifact import Artifact
from genesis.domain.file import File, FileSource, MediaDetails
from genesis.domain.identity import Milliseconds


@dataclass(frozen=True, slots=True)
class FileFilter:
    """Which files to list; what is None does not matter.

    Attributes:
        family: `image` or `audio`, as the media type begins.
        text: occurs in the file's name, whatever the case of its letters.
    """

    source: FileSource | None = None
    family: str | None = None
    job: str | None = None
    text: str | None = None


EVERY_FILE = FileFilter()


@dataclass(frozen=True, slots=True)
class FilePage:
    """Files, newest first, without those that are deleted.

    Attributes:
        cursor: continues the list; None at its end. A page may be short, or empty, and yet not the last.
    """

    files: Sequence[File]
    cursor: str | None


class FileRecords(Protocol):
    """Records of files. The ledger adds those of jobs itself, with the evidence of the attempt that has made them.

    A file is in use while a job that is not over has made it or takes it as an input. All methods raise Unavailable when
    the database does not answer or the change could not be made durable.

    A file whose `expires_at` is None has no time of its own: it is kept for as long as its organization says, else for as
    long as the settings say, else for ever (see `expire`). The files of jobs get the time that their organization says when
    they are recorded.
    """

    async def add(self, file: File) -> None:
        """Records a new file; it is durable when this returns. To add the same one again changes nothing."""

    async def file(self, organization: str, file_id: str) -> File:
        """One file, also a waiting or a deleted one.

        Raises:
            NotFound: the organization has no such file.
        """

    async def files(self, organization: str, ids: Collection[str]) -> Mapping[str, File]:
        """Those of these files that the organization has, by their ids, deleted ones among them."""

    async def page(
        self, organization: str, *, limit: int, cursor: str | None = None, where: FileFilter = EVERY_FILE
    ) -> FilePage:
        """A page of the list.

        Raises:
            InvalidRequest: the cursor is not one of this list.
        """

    async def arrived(self, file_id: str, artifact: Artifact, expires_at: Milliseconds | None) -> bool:
        """A waiting file has got its content, under the key of `artifact`, and is ready; false if it is not waiting."""

    async def examined(self, file_id: str, artifact: Artifact, details: MediaDetails, problem: str = "") -> None:
        """Notes what was found in a ready file's content; media type, size and digest are those of `artifact`."""

    async def keep_until(self, organization: str, file_id: str, expires_at: Milliseconds | None) -> File:
        """Changes when a ready file is deleted; None for as its organization and the settings say.

        Raises:
            NotFound: the organization has no such file, or, as the kind Gone of it, it is deleted.
            Conflict: it is waiting.
        """

    async def delete(self, organization: str, file_id: str, now: Milliseconds) -> File:
        """Marks a file as deleted, one that already is as well; its content may go when this returns.

        Raises:
            NotFound: the organization has no such file.
            Conflict: it is in use.
        """

    async def expire(
        self, now: Milliseconds, limit: int, default_retention_ms: Milliseconds | None = None
    ) -> Sequence[File]:
        """Marks files as deleted whose time is over and that are not in use, and returns them; those in use wait.

        Args:
            limit: how many at most.
            default_retention_ms: how long after their creation files are over that have no time of their own, of
                organizations that do not say it; None for never.
        """

    async def unexamined(self, limit: int, after: str = "") -> Sequence[File]:
        """Ready files, oldest first, whose content has not been examined.

        Args:
            after: the id of the last one that is not to be told again.
        """

    async def known(
        self, ids: Collection[str], now: Milliseconds = 0, default_retention_ms: Milliseconds | None = None
    ) -> set[str]:
        """Those of these ids whose content has to be kept.

        That is what belongs to a file that is not deleted, and, where there is no record of a file, to a call
        (`Attempt.call_key`) that is under way, or of a job that is not over: such a call may have made what no record tells
        of yet. Of a job that has failed or was canceled it is what a retry would use: what a call may have made whose
        outcome nobody knows, what a call or a step has put out, and the inputs of parts that are not done; for as long
        after the job's end as its files are kept. Of a completed job it is what a step has put out: an earlier version,
        which records no files, may have run it after the schema was brought up to date.

        Args:
            now: the moment at which jobs' files may be over; 0 for none of them.
            default_retention_ms: how long they are kept where their organization does not say it; None for ever.
        """

    async def in_doubt(self, call_keys: Collection[str]) -> set[str]:
        """Those of these keys that name calls whose outcome somebody may still ask for: calls that are under way or whose
        outcome nobody knows, and those of jobs that are not over."""

    async def recorded(self, keys: Collection[str]) -> set[str]:
        """Those of these keys under which ready files have their contents."""

    async def waiting(self, ids: Collection[str]) -> set[str]:
        """Those of these ids that belong to files which wait for their content."""

    async def awaits_word(self) -> bool:
        """Whether jobs wait for a word since a backup was restored: until then nobody knows what will be missed, and nothing
        is deleted by itself."""

    async def retention(self, organization: str) -> int | None:
        """How many seconds files of the organization are kept that name no time of their own; None for as the settings
        say."""

    async def secret(self, name: str) -> bytes:
        """32 random bytes that belong to this database, made when they are first asked for and the same ever after."""
