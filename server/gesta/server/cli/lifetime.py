"""The time a server lives: until a signal, or until its storage fails."""

import asyncio
import importlib.util
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from enum import StrEnum
from types import FrameType

from gesta.server.cli.exit_codes import ExitCode
from gesta.server.cli.failure import Failure
from gesta.server.process import Server
from gesta.server.tuning import tune

_LOG = logging.getLogger("gesta.server")
_SIGNALS = (signal.SIGTERM, signal.SIGINT)

_SAME_SIGNAL_S = 0.25
"""Within this time it is still the first signal: timeout(1), for one, sends it to the process and
then to its group."""


_ENDING_S = 2.0
"""What is left to the process once its storage was given up. Threads that wait for a disk may wait
for ever, and Python waits for them."""


class LoopKind(StrEnum):
    """Which event loop."""

    AUTO = "auto"
    ASYNCIO = "asyncio"
    UVLOOP = "uvloop"


def new_runner(kind: LoopKind) -> asyncio.Runner:
    """Raises Failure where uvloop is asked for and not installed."""
    installed = importlib.util.find_spec("uvloop") is not None
    if kind is LoopKind.UVLOOP and not installed:
        raise Failure(ExitCode.BAD_INPUT, "uvloop is not installed: pip install 'gesta[uvloop]'")
    if kind is LoopKind.ASYNCIO or not installed:
        return asyncio.Runner()
    import uvloop

    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


async def live(server: Server, announce: Callable[[str], None]) -> None:
    """Starts the server, announces its address, and stops it when its time has come.

    The first SIGTERM or SIGINT lets it answer what it took in. The second one ends the
    process at once, whatever the event loop is doing.
    """
    stop = asyncio.Event()
    _on_first_signal(stop.set)
    await server.start()
    try:
        if not stop.is_set():
            tune()
            server.engine.end_process_when_stuck()
            announce(server.address)
            await _either(stop.wait(), server.failed())
    finally:
        await server.stop()
        if server.failure is not None:
            _end_process_within(_ENDING_S, ExitCode.STORAGE_FAILED)


def _on_first_signal(stop: Callable[[], None]) -> None:
    """Handlers of the interpreter, not of the event loop: those would wait for a turn that hangs,
    and the second signal with them."""
    loop = asyncio.get_running_loop()
    first_at_s: float | None = None

    def received(number: int, frame: FrameType | None) -> None:
        nonlocal first_at_s
        now_s = time.monotonic()
        if first_at_s is None:
            first_at_s = now_s
            loop.call_soon_threadsafe(_stop, signal.Signals(number).name, stop)
        elif now_s - first_at_s > _SAME_SIGNAL_S:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    for each in _SIGNALS:
        signal.signal(each, received)


def _stop(name: str, stop: Callable[[], None]) -> None:
    _LOG.info("%s: answering what was taken in; a second signal ends this at once", name)
    stop()


def _end_process_within(seconds: float, code: ExitCode) -> None:
    """Unless it has ended by itself by then."""

    def end() -> None:
        sys.stderr.flush()
        os._exit(code)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


async def _either(*endings: Coroutine[None, None, object]) -> None:
    tasks = [asyncio.ensure_future(each) for each in endings]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
