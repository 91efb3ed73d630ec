"""A client reads a log from its beginning: as frames that nobody looks into, or as events."""

import time
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import grpc

from benchmarks.references.sqlite import scan
from gesta.client import connect
from gesta.v1.event_pb2 import RecordedEvent
from gesta.v1.event_service_pb2 import (
    ReadEventsRequest,
    ReadEventsResponse,
    SubscribeRequest,
    SubscribeResponse,
)

SERVICE = "/gesta.v1.EventService/"
MESSAGE_BYTES_MAX = 16 * 1024 * 1024


async def measure(address: str, log: str, events: int) -> dict[str, Any]:
    """Events per second of each way, one after the other, checksums on; and of the bare scan of
    the same rows in the same file."""
    scanned = scan(Path(log), events)
    read, frames = await _frames(address, "ReadEvents", ReadEventsRequest(), _end_of_read)
    broken = _broken((ReadEventsResponse.FromString(each).events for each in frames), events)
    subscribed, frames = await _frames(address, "Subscribe", SubscribeRequest(), _caught_up)
    broken += _broken((SubscribeResponse.FromString(each).batch.events for each in frames), events)
    decoded, broken_decoded = await _decoded(address, events)
    return {
        "scan": scanned,
        "read_frames": events / read,
        "subscribed_frames": events / subscribed,
        "decoded": events / decoded,
        "violations": [*broken, *broken_decoded],
    }


async def _frames(
    address: str,
    method: str,
    request: ReadEventsRequest | SubscribeRequest,
    ended: Callable[[bytes], bool],
) -> tuple[float, list[bytes]]:
    """Seconds until the frame that says that this was all, and all of them, not looked into."""
    frames: list[bytes] = []
    options = [("grpc.max_receive_message_length", MESSAGE_BYTES_MAX)]
    async with grpc.aio.insecure_channel(address, options) as channel:
        call_of: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(
            SERVICE + method
        )
        begun = time.perf_counter()
        call = call_of(request.SerializeToString())
        async for frame in call:
            frames.append(frame)
            if len(frame) < 4_096 and ended(frame):  # only a small one can be the last
                break
        taken = time.perf_counter() - begun
        call.cancel()
    return taken, frames


def _broken(frames: Iterable[Iterable[RecordedEvent]], events: int) -> list[str]:
    """Whether it was all, in order, once the time is taken."""
    seen = 0
    for event in chain.from_iterable(frames):
        seen += 1
        if event.position != seen or not event.data:
            return [f"SEEN_GAP: {event.position} where {seen} is next"]
    return [] if seen == events else [f"SEEN_TOO_LITTLE: {seen} of {events} events"]


def _end_of_read(frame: bytes) -> bool:
    return bool(ReadEventsResponse.FromString(frame).token)


def _caught_up(frame: bytes) -> bool:
    return SubscribeResponse.FromString(frame).HasField("caught_up")


async def _decoded(address: str, events: int) -> tuple[float, list[str]]:
    """Seconds by the ordinary client's subscription; each event's place is looked at, and
    how long its data is."""
    seen = size = 0
    broken: list[str] = []
    async with connect(address) as client, client.subscribe() as subscription:
        begun = time.perf_counter()
        async for batch in subscription.batches():
            for event in batch.events:
                seen += 1
                size += len(event.data)
                if event.position != seen and not broken:
                    broken.append(f"SEEN_GAP: {event.position} where {seen} is next")
            if subscription.caught_up:
                break
        taken = time.perf_counter() - begun
    if seen != events or not size:
        broken.append(f"SEEN_GAP: {seen} of {events} events")
    return taken, broken
