"""Three times what the server can do, offered for a while: most is refused, and soon.

The peak is the ordinary client's. What floods the server is not: that one keeps to its window and
asks again after the advised time, and to offer so much it would need more processor than there is.
Here frames are written as they are on the wire, each about as large as the ordinary client's at the
peak: a message costs the server what several commands do, whatever is in it. Answers are only noted
as they come, and taken apart when all is over. Even so whoever sends so much is late in reading:
how soon a refusal is there, a bystander tells, who asks little.
"""

import asyncio
import gc
import time
from contextlib import AsyncExitStack
from typing import Any

import grpc
import msgspec
from examples.bank import BankAccount

from benchmarks.bank import AMOUNTS, DAY, Accounts, violations
from benchmarks.processes import measured
from benchmarks.record import Record, share_of
from gesta.client import connect
from gesta.client.ids import CommandIds
from gesta.client.wire import END, encode_command, encode_timeout, frame_part
from gesta.v1.command_service_pb2 import ExecuteResult, ExecuteStreamResponse

ACCOUNTS = 10_000
CONNECTIONS = 8
"""With a stream each. One has 4,096 commands unanswered at most: four of them are held up by their
windows, as what they have open may wait for its turn."""
PEAK_CALLERS = 1_024
TIMES = 3
TICK_S = 0.02
"""Between two frames of a stream."""
FRAME_COMMANDS_MAX = 1_000
"""Where the sender is late, it has more to send: in several frames."""
SETTLE_S = 1.5
"""Not counted: until there are more commands than are taken."""
ADVICE = "RetryInfo"
METHOD = "/gesta.v1.CommandService/ExecuteStream"


async def measure(address: str, seconds: float) -> dict[str, Any]:
    """The peak before; then what was accepted of three times that, and how soon the rest knew."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(connect(address))
        load = Accounts(client, "account", ACCOUNTS)
        await load.open()
        begin = time.monotonic_ns() + int(SETTLE_S * 1e9)
        end = begin + int(seconds / 2 * 1e9)
        await load.pay_in(PEAK_CALLERS, end)
        peak = load.deposits.figures(begin, end)["per_second"]
        channels = [
            await stack.enter_async_context(
                grpc.aio.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)])
            )
            for _ in range(CONNECTIONS)
        ]
        flood = _Flood(load, channels)
        beside = asyncio.ensure_future(
            measured("workloads.bystander", address=address, after_s=SETTLE_S, seconds=seconds / 2)
        )
        await flood.run(TIMES * peak, seconds)
        bystander = await beside
        broken = await violations(client, load)
    figures = flood.figures() | {f"bystander_{name}": each for name, each in bystander.items()}
    return figures | {"peak": peak, "violations": [*flood.odd[:5], *broken]}


class _Flood:
    def __init__(self, load: Accounts, channels: list[grpc.aio.Channel]) -> None:
        self._streams = [_Stream(channel, load.deposits) for channel in channels]
        self._record = load.deposits
        self._drawn = CommandIds()
        self._timeout = encode_timeout(60.0)
        self._commands = [
            _without_id(account_id, 1 + account % AMOUNTS)
            for account, account_id in enumerate(load.ids)
        ]
        self._begin = self._end = self._offered = 0

    @property
    def odd(self) -> list[str]:
        return [each for stream in self._streams for each in stream.odd]

    async def run(self, per_second: float, seconds: float) -> None:
        """Returns when everything is answered."""
        gc.collect()
        gc.disable()  # what is noted makes no cycles, and is a lot to look through
        tasks = [asyncio.ensure_future(each.take()) for each in self._streams]
        begun, turn = time.perf_counter(), 0
        self._begin = time.monotonic_ns() + int(SETTLE_S * 1e9)
        while (passed := time.perf_counter() - begun) < seconds:
            due = int(passed * per_second) // CONNECTIONS
            for stream in self._streams:
                while due > stream.asked:
                    commands = min(due - stream.asked, FRAME_COMMANDS_MAX)
                    turn = await self._ask(stream, commands, turn)
            await asyncio.sleep(TICK_S)
        self._end, self._offered = time.monotonic_ns(), turn or 1
        for stream in self._streams:
            await stream.end()
        await asyncio.gather(*tasks)
        noted = [(came, data, each) for each in self._streams for came, data in each.frames]
        for came, data, stream in sorted(noted, key=lambda each: each[0]):
            stream.take_apart(came, data)

    async def _ask(self, stream: "_Stream", commands: int, turn: int) -> int:
        parts, sent, now = [], [], time.monotonic_ns()
        for number in range(turn, turn + commands):
            account = number % ACCOUNTS
            asked = self._commands[account] + self._drawn.draw()
            parts.append(frame_part(asked, self._timeout))
            sent.append((account, 1 + account % AMOUNTS, now))
        await stream.send(b"".join(parts), sent)
        return turn + commands

    def figures(self) -> dict[str, Any]:
        """What became of what was offered."""
        refusals = sorted(each for stream in self._streams for each in stream.refusals_s)
        counted = self._record.figures(self._begin, self._end)
        seconds = (self._end - self._begin) / 1e9 + SETTLE_S
        return {
            "offered": self._offered / seconds,
            "accepted": counted["per_second"],
            "accepted_p99_ms": counted["p99_ms"],
            "refused": len(refusals),
            "refused_share": len(refusals) / self._offered,
            "refused_p99_ms": 1e3 * share_of(refusals, 0.99),
            "without_advice": sum(stream.without_advice for stream in self._streams),
        }


class _Stream:
    """One ExecuteStream call, which sends whatever it is given."""

    def __init__(self, channel: grpc.aio.Channel, record: Record) -> None:
        method: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(METHOD)
        self._call = method()
        self._record = record
        self._sent: dict[int, tuple[int, int, int]] = {}
        self.frames: list[tuple[int, bytes]] = []
        """Answers, each with the time it came."""
        self.asked = 0
        self.refusals_s: list[float] = []
        self.without_advice = 0
        self.odd: list[str] = []
        """What was answered otherwise."""

    async def send(self, frame: bytes, sent: list[tuple[int, int, int]]) -> None:
        for each in sent:
            self.asked += 1
            self._sent[self.asked] = each
        await self._call.write(frame)

    async def end(self) -> None:
        await self._call.write(END)
        await self._call.done_writing()

    async def take(self) -> None:
        """Every answer, until the stream ends."""
        while isinstance(data := await self._call.read(), bytes):
            self.frames.append((time.monotonic_ns(), data))

    def take_apart(self, came: int, data: bytes) -> None:
        """What a frame of answers says; in the order they came."""
        for result in ExecuteStreamResponse.FromString(data).results:
            self._answered(result, came)

    def _answered(self, result: ExecuteResult, now: int) -> None:
        account, amount, invoked = self._sent.pop(result.number)
        if result.HasField("response"):
            done = result.response
            balance = msgspec.json.decode(done.reply)["balance"]
            told = (done.command_id, done.position, done.version, balance)
            self._record.acknowledged(account, amount, invoked, now, *told)
        elif result.error.code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]:
            self._record.not_done += 1
            self.refusals_s.append((now - invoked) / 1e9)
            told_when = any(each.type_url.endswith(ADVICE) for each in result.error.details)
            self.without_advice += not told_when
        else:
            self.odd.append(f"a command was answered with {result.error.message}")


def _without_id(account_id: str, amount: int) -> bytes:
    """A deposit, whose command id is to follow: it stands last."""
    arguments = BankAccount.deposit(amount, booked_on=DAY).encode_arguments()
    return encode_command("BankAccount", account_id, "deposit", arguments, bytes(16), b"")[:-16]
