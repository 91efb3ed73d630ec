"""Everything that can end a projection, and what to do then. Fields first, and the next step.

    ProjectionError               name, next_step
    ├── PoisonEvent               position, event, cause: it could not be projected
    ├── MustRebuild               what is in the tables cannot be gone on with
    │   ├── CodeChanged           stored_version, version
    │   ├── CheckpointLost        tables: they have rows, and nobody knows up to where
    │   ├── TablesLost            tables: there is a checkpoint, but not what it is of
    │   └── CheckpointUndone      position, fork_position: the log has lost what was projected
    ├── Superseded                a newer session of the same name writes now
    ├── NothingToSkip             position, failed_position
    └── DatabaseFailed            detail: the read model's database, not the event
        └── NotProjected          there is nothing to read yet

    BadDatabase                   detail: what was given names no database that can be used

Mistakes in the class itself are gesta.domain's DefinitionError, found at import. What the server
answers, or does not, stays gesta.client's GestaError.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field


class BadDatabase(Exception):
    """Not a URL that SQLAlchemy knows, a driver that is not installed or not asyncio's."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(eq=False)
class ProjectionError(Exception):
    """Base of all that ends a projection. What was committed before stays, and is whole."""

    name: str

    @property
    def reason(self) -> str:
        """A word for scripts: the class's name, such as POISON_EVENT."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(self).__name__).upper()

    @property
    def next_step(self) -> str:
        """What whoever runs it should do."""
        return ""

    def __str__(self) -> str:
        return f"projection {self.name!r}: {self._happened()}; {self.next_step}"

    def _happened(self) -> str:
        return "failed"


@dataclass(eq=False)
class PoisonEvent(ProjectionError):
    """A handler, or `flush`, failed on an event; `__cause__` is the error.

    Everything in batches before its own is projected.
    """

    position: int
    event: str
    """Such as "MoneyDeposited of BankAccount/acc-1, version 3"."""
    error: str
    """The cause in a line."""
    alone: bool = field(default=True, kw_only=True)
    """False: it fails only together with others of its batch, the last of which it is."""

    @property
    def next_step(self) -> str:
        return (
            "mend the code and run it again, or leave the event out, on record: "
            f"gesta project skip MODULE:CLASS --position {self.position}"
        )

    def _happened(self) -> str:
        together = "" if self.alone else ", together with others before it"
        return f"event {self.position} ({self.event}) failed{together}: {self.error}"


class MustRebuild(ProjectionError):
    """What is in the tables cannot be gone on with; they are left as they are."""

    @property
    def next_step(self) -> str:
        return "rebuild it: gesta project rebuild MODULE:CLASS"


@dataclass(eq=False)
class CodeChanged(MustRebuild):
    """The tables were filled by another version of the code. Where the versions are the same, its
    tables or the events it handles are others."""

    stored_version: int
    version: int

    @property
    def next_step(self) -> str:
        if self.stored_version > self.version:
            return "run the newer code"
        return super().next_step

    def _happened(self) -> str:
        if self.stored_version == self.version:
            return f"its tables or events changed within version {self.version}"
        return f"its tables are of version {self.stored_version}, this code is {self.version}"


@dataclass(eq=False)
class CheckpointLost(MustRebuild):
    """The tables have rows, but no checkpoint says up to where in the log."""

    tables: Sequence[str]

    def _happened(self) -> str:
        return f"no checkpoint, but there are rows in {', '.join(self.tables)}"


@dataclass(eq=False)
class TablesLost(MustRebuild):
    """There is a checkpoint, but tables that it is of are gone."""

    tables: Sequence[str]

    def _happened(self) -> str:
        return f"there is a checkpoint, but no table {', '.join(self.tables)}"


@dataclass(eq=False)
class CheckpointUndone(MustRebuild):
    """The log no longer has all that was projected: it was restored from a backup, cut, or is
    another log. What was read after `fork_position` never happened; None where that is unknown."""

    position: int
    fork_position: int | None
    error: str
    """What the server said."""

    def _happened(self) -> str:
        return f"its checkpoint, position {self.position}, is not of this log: {self.error}"


class Superseded(ProjectionError):
    """Another session of the same name was started later; it writes now, this one has stopped."""

    @property
    def next_step(self) -> str:
        return "leave one of them running"

    def _happened(self) -> str:
        return "a newer session of the same name has taken over"


@dataclass(eq=False)
class NothingToSkip(ProjectionError):
    """Only the event that stopped the projection can be left out."""

    position: int
    failed_position: int | None

    @property
    def next_step(self) -> str:
        return "see gesta project status MODULE:CLASS"

    def _happened(self) -> str:
        if self.failed_position is None:
            return f"it has not failed, at {self.position} or elsewhere"
        return f"it failed at {self.failed_position}, not at {self.position}"


@dataclass(eq=False)
class DatabaseFailed(ProjectionError):
    """The read model's database cannot be reached or written to; no event is to blame."""

    detail: str

    @property
    def next_step(self) -> str:
        return "run it again when that is mended: nothing is lost or doubled"

    def _happened(self) -> str:
        return f"its database failed: {self.detail}"


class NotProjected(DatabaseFailed):
    """Nobody has run the projection on this database, so there is nothing to read."""

    @property
    def next_step(self) -> str:
        return "run it there first: gesta project run MODULE:CLASS --db DATABASE"

    def _happened(self) -> str:
        return f"it was never run here: {self.detail}"
