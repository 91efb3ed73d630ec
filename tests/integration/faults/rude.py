"""Clients that break off, stop listening, or speak something else altogether.

They write HTTP/2 by hand, because a library would keep them from it. What they ask for is recorded
as commands of which nobody hears again.
"""

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing

import msgspec
from tests.history.history import History, Write
from tests.integration.edge.caller import command_for
from tests.integration.edge.tally import Added

from gesta.client.ids import CommandIds
from gesta.v1.command_service_pb2 import ExecuteRequest, ExecuteStreamRequest

EXECUTE_STREAM = b"/gesta.v1.CommandService/ExecuteStream"
SUBSCRIBE = b"/gesta.v1.EventService/Subscribe"
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _SETTINGS = 0, 1, 4
_END_STREAM, _END_HEADERS = 1, 4
_STREAM = 1
_INITIAL_WINDOW_SIZE = 4

FRAME_BYTES_MAX = 16_384
"""HTTP/2's own, where nothing else was agreed."""

DEAF_BYTES = 64
"""What somebody takes in who then reads no more: the first frame of a stream, and no other."""


def requests(history: History, count: int, note: str) -> list[ExecuteRequest]:
    """Commands of which the history knows that they were asked for."""
    ids = CommandIds()
    asked = []
    for number in range(count):
        text = f"{note} {number}"
        write = Write("Tally", "rude", "Added", msgspec.json.encode(Added(1, text)))
        command_id = ids.draw()
        history.invoke(command_id, [write])
        asked.append(command_for("rude", "add", {"amount": 1, "note": text}, command_id=command_id))
    return asked


def conversations(history: History) -> Iterator[tuple[str, bytes]]:
    """What to send before hanging up, each with its name. Read what follows a name before it."""
    message = ExecuteStreamRequest(commands=requests(history, 64, "cut off")).SerializeToString()
    whole = _message(message)
    called = _called(EXECUTE_STREAM)
    chance = random.Random(1).randbytes
    yield "in the middle of a message", called + _frame(_DATA, whole[: len(whole) // 2])
    yield "in the middle of an HTTP/2 frame", called + _frame(_DATA, whole)[: len(whole) // 2]
    yield "in the middle of the headers", called[: len(called) - 20]
    yield "after a whole message", called + _frame(_DATA, whole)
    yield "a message that is none", called + _frame(_DATA, _message(chance(1_000)))
    yield "a length that is a lie", called + _frame(_DATA, b"\0" + b"\xff" * 4 + chance(100))
    yield "HTTP/2 frames that are none", _PREFACE + chance(10_000)
    yield "HTTP/1.1", b"GET / HTTP/1.1\r\nHost: gesta\r\n\r\n"
    yield "TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + chance(508)
    yield "noise", chance(100_000)
    yield "nothing", b""


async def say(address: str, what: bytes, *, reset: bool) -> None:
    """Says it and is gone: with a FIN after the other side has answered or hung up, or with a RST
    as soon as it is sent."""
    host, port = address.split(":")
    loop = asyncio.get_running_loop()
    with closing(socket.socket()) as end:
        end.setblocking(False)
        await loop.sock_connect(end, (host, int(port)))
        try:
            await loop.sock_sendall(end, what)
            if reset:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                await loop.sock_recv(end, 1_000)
        except ConnectionError:
            pass  # it did not want to hear all of that


@asynccontextmanager
async def deaf(address: str, path: bytes, message: bytes, *, more: bool) -> AsyncIterator[None]:
    """Asks, and takes next to nothing of the answer, until the block ends. `more` might follow."""
    host, port = address.split(":")
    loop = asyncio.get_running_loop()
    whole = _message(message)
    parts = [whole[at : at + FRAME_BYTES_MAX] for at in range(0, len(whole), FRAME_BYTES_MAX)]
    data = b"".join(_frame(_DATA, part) for part in parts)
    if not more:
        data += _frame(_DATA, b"", _END_STREAM)
    with closing(socket.socket()) as end:
        end.setblocking(False)
        await loop.sock_connect(end, (host, int(port)))
        await loop.sock_sendall(end, _called(path, DEAF_BYTES) + data)
        yield


def _called(path: bytes, window: int = 65_535) -> bytes:
    fields = {
        b":method": b"POST",
        b":scheme": b"http",
        b":path": path,
        b":authority": b"gesta",
        b"content-type": b"application/grpc",
        b"te": b"trailers",
    }
    # Literals that are not indexed, RFC 7541, 6.2.2; all shorter than 127 bytes.
    block = b"".join(
        b"\0%c%b%c%b" % (len(name), name, len(value), value) for name, value in fields.items()
    )
    settings = struct.pack(">HI", _INITIAL_WINDOW_SIZE, window)
    return _PREFACE + _frame(_SETTINGS, settings, stream=0) + _frame(_HEADERS, block, _END_HEADERS)


def _frame(kind: int, payload: bytes, flags: int = 0, stream: int = _STREAM) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _message(data: bytes) -> bytes:
    return struct.pack(">BI", 0, len(data)) + data
