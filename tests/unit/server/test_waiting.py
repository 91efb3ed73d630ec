"""Waits for projections whose callers have gone."""

import asyncio
from typing import cast
from uuid import UUID

from tests.unit.engine.harness import encode, settle
from tests.unit.engine.tally import TALLIES

from gesta.engine.engine import Engine
from gesta.server.rpc.guard import Context
from gesta.server.rpc.projection_service import ProjectionService
from gesta.store.memory import MemoryStore
from gesta.v1.projection_service_pb2 import WaitForProjectionRequest

SESSION = UUID("01890000-0000-7000-8000-000000000001").bytes


class Patient:
    """A call without a deadline."""

    def time_remaining(self) -> None:
        return None


async def test_a_call_that_is_cancelled_in_the_step_that_ends_its_wait_disturbs_nobody() -> None:
    engine = await Engine.open(MemoryStore(), TALLIES, encode)
    try:
        service = ProjectionService(engine)
        request = WaitForProjectionRequest(names=["accounts"], token=engine.tokens.mint(0))
        gone, stays = (
            asyncio.ensure_future(
                service.wait_for_projection(request.SerializeToString(), cast("Context", Patient()))
            )
            for _ in range(2)
        )
        await settle()
        gone.cancel()
        engine.projections.report("accounts", SESSION, 0)
        assert await stays == b""
        await asyncio.gather(gone, return_exceptions=True)
        assert gone.cancelled()
    finally:
        await engine.close()
