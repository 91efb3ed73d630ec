"""The W3C trace context that a command came with, which is recorded with its events.

One that is malformed counts as none, as https://www.w3.org/TR/trace-context/ has it: whatever is
wrong with the tracing of a call, the call goes on.
"""

import re

from gesta.server.rpc.guard import Context

TRACEPARENT_CHARS_MAX = 128
"""Version 00 has 55. Later versions may append to that, and are kept as they came."""

_IDS_AND_FLAGS = r"-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
_FORM = re.compile(
    rf"00{_IDS_AND_FLAGS}|(?!00|ff)[0-9a-f]{{2}}{_IDS_AND_FLAGS}(?:-[!-~]*)?",
)


def traceparent_of(context: Context) -> str:
    """What the call's metadata say, or nothing."""
    for key, value in context.invocation_metadata() or ():
        if key == "traceparent" and isinstance(value, str):
            return value
    return ""


def well_formed(*traceparents: str) -> str | None:
    """The first that is."""
    for text in traceparents:
        if len(text) <= TRACEPARENT_CHARS_MAX and _FORM.fullmatch(text):
            return text
    return None
