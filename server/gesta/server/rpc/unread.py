"""Answers that wait for those who asked: one budget of bytes for all of them.

gRPC writes no faster than a client reads. An answer is therefore not gone when it is given, but
when its write has returned, or its call has ended.
"""

import grpc

from gesta.engine.errors import Overloaded

_SMALL_BYTES = 4_096
"""An answer up to this size weighs no more than the call that carries it."""


class Unread:
    """Counts. Whoever adds takes away the same, whatever becomes of the call."""

    def __init__(self, bytes_max: int) -> None:
        self.bytes = 0
        """Bytes of answers that are made and not written."""
        self._bytes_max = bytes_max

    def check(self) -> None:
        """Raise Overloaded when so much is unread that nothing more should be asked."""
        if self.bytes > self._bytes_max:
            raise Overloaded("bytes_unread_max", 1_000)

    def hold(self, context: grpc.aio.ServicerContext[bytes, bytes], size: int) -> None:
        """Count the answer of a unary call until the call has ended."""
        if size > _SMALL_BYTES:
            self.bytes += size
            # The stub asks for an instance of a class of its own where any function will do.
            context.add_done_callback(lambda _: self._release(size))  # type: ignore[arg-type]

    def _release(self, size: int) -> None:
        self.bytes -= size
