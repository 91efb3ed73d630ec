"""UmaDB: appends of many events at once, without a condition."""

import threading
import time
from typing import Any

from benchmarks.peers.umadb import DATA, EVENT_TYPE
from benchmarks.processes import Running

TAGS_PER_THREAD = 50
WARM_S = 0.5


def measure(address: str, pid: int, events: int, threads: int, seconds: float) -> dict[str, Any]:
    """Events per second in appends of so many by so many threads, each to fifty accounts of its
    own."""
    import umadb

    server, client = Running(address, pid), umadb.Client(f"http://{address}")
    moments: list[float] = []

    def call(thread: int) -> None:
        tags = [[f"append-{thread}-{n}"] for n in range(TAGS_PER_THREAD)]
        while time.perf_counter() < end:
            client.append(
                [
                    umadb.Event(EVENT_TYPE, DATA, tags=tags[n % TAGS_PER_THREAD])
                    for n in range(events)
                ]
            )
            moments.append(time.perf_counter())

    begin = time.perf_counter() + WARM_S
    end = begin + seconds
    cpu_s, own_s = server.cpu_s(), time.process_time()
    workers = [threading.Thread(target=call, args=(n,)) for n in range(threads)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    cpu_s, own_s = server.cpu_s() - cpu_s, time.process_time() - own_s
    written, head = events * len(moments), client.head()
    return {
        "per_second": sum(events for each in moments if begin < each <= end) / seconds,
        "server_us": 1e6 * cpu_s / written,
        "client_us": 1e6 * own_s / written,
        "violations": [] if head == written else [f"{head} of {written} are there"],
    }
