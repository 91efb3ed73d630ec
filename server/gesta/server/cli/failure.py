"""How a command ends that cannot do what it was asked."""

from collections.abc import Mapping

from gesta.server.cli.exit_codes import ExitCode, of_store_error
from gesta.store.port import CorruptLog, StoreError


class Failure(Exception):
    """Becomes one line on stderr, `gesta: <reason>: <text>`, and the exit code.

    `reason` is a word that scripts may match; `fields` go into the object that --json prints.
    `trace` is shown above the line: the caller's own code only, and only where it was asked for.
    """

    def __init__(
        self,
        code: ExitCode,
        text: str,
        *,
        reason: str = "",
        fields: Mapping[str, object] | None = None,
        trace: str = "",
    ) -> None:
        self.code = code
        self.text = text
        self.reason = reason or code.name
        self.fields = fields or {}
        self.trace = trace
        super().__init__(f"{self.reason}: {text}")


def of_log(error: StoreError) -> Failure:
    """Of a command that opens a log itself; with the event's position where one is damaged."""
    fields = {"position": error.position} if isinstance(error, CorruptLog) else {}
    return Failure(of_store_error(error), str(error), fields=fields)
