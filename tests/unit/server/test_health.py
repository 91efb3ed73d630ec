"""What watchers are told, and when."""

from typing import cast

from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from gesta.server.rpc.guard import Context
from gesta.server.rpc.health import Health

SERVING, NOT_SERVING = (
    HealthCheckResponse.ServingStatus.Value(x) for x in ("SERVING", "NOT_SERVING")
)


class Slow:
    """A watcher; the server stops while the first thing that it is told is on its way."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self.told: list[int] = []

    async def write(self, frame: bytes) -> None:
        self.told.append(HealthCheckResponse.FromString(frame).status)
        if len(self.told) == 1:
            self._health.down()


async def test_a_watcher_hears_of_a_change_that_comes_while_it_is_being_told() -> None:
    health = Health(["gesta.v1.CommandService"], 1)
    health.up()
    watcher = Slow(health)
    await health.watch(HealthCheckRequest().SerializeToString(), cast("Context", watcher))
    assert watcher.told == [SERVING, NOT_SERVING]
