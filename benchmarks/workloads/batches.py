"""Batches of one event and one command each, over random streams, the same each run."""

from random import Random

from gesta.store import Batch, CommandRecord, EventRecord, Stream

STREAMS = 10_000
DATA = b'{"amount":12345,"booked_on":"2026-01-01"}'
REPLY = b'{"balance":12345}'


class Batches:
    """As the engine's writer makes them."""

    def __init__(self) -> None:
        self._random = Random(1)
        self._streams = [Stream("BankAccount", f"account-{n:06}") for n in range(STREAMS)]
        self._versions = [0] * STREAMS
        self._position = 0

    def next(self, size: int) -> Batch:
        batch = Batch(1_700_000_000_000_000 + self._position)
        for _ in range(size):
            index = self._random.randrange(STREAMS)
            self._position += 1
            self._versions[index] += 1
            stream, id_ = self._streams[index], _id_v7(self._position)
            version, time_us = self._versions[index], batch.commit_time_us
            batch.streams.append(stream)
            fields = (
                *(self._position, stream.aggregate_type, stream.aggregate_id, version, id_),
                *("MoneyDeposited", 1, DATA, id_, False, time_us),
                *(None, None, None, "anonymous", None, None),
            )
            batch.events.append(EventRecord._make(fields))
            batch.commands.append(
                CommandRecord(id_, bytes(16), version, self._position, 1, time_us, REPLY)
            )
        return batch


def _id_v7(serial: int) -> bytes:
    return ((1_700_000_000_000 + serial // 64) << 80 | 7 << 76 | 2 << 62 | serial).to_bytes(
        16, "big"
    )
