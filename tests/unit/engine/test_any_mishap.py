"""The same in any order, while callers leave, clocks jump by days, code fails, one id is used for
several things at once, and old answers are forgotten."""

import pytest
from tests.unit.engine.chance import DAY_US, NOON_US
from tests.unit.engine.harness import Start, at_version
from tests.unit.engine.tally import Ask, add, ask, take
from tests.unit.engine.test_any_order import FEW, Play, check_all

from gesta.engine.errors import (
    AggregateExists,
    AggregateNotFound,
    CommandIdExpired,
    CommandIdReused,
    ExpiredInQueue,
    HandlerBroken,
    InvalidRequest,
    LimitExceeded,
    Overloaded,
    StorageIsFull,
    UnknownCommand,
)

MISTAKES = ["crash", "garble", "poison", "nope"]
DAYS_OFF = [-10, -9.5, -1, -0.1, 0, 0, 0.1, 1, 10]

OTHERS = (
    (StorageIsFull | Overloaded | CommandIdReused)
    | (CommandIdExpired | ExpiredInQueue | InvalidRequest)
    | (AggregateExists | AggregateNotFound)
    | (HandlerBroken | LimitExceeded | UnknownCommand)
)


class Mishaps(Play):
    """A play in which every other step goes wrong in some way."""

    async def step(self) -> None:
        run, chance, on = self.run, self.chance, self.chance.choice("abcd")
        match chance.choice(".......xdjmiq"):
            case "x" if self.appended:
                chance.choice(self.appended)[1].cancel()
            case "d":
                self.ask(on, add(1), deadline=run.clock.seconds + chance.choice([-1, 0, 1]))
                run.clock.seconds += chance.choice([0, 1])
            case "j":
                run.clock.us = NOON_US + int(chance.choice(DAYS_OFF) * DAY_US)
                run.engine._writer.prune(8 * DAY_US, 500)
            case "m":
                asked = chance.choice([*map(ask, MISTAKES), ask("flood", count=2_000), take(20)])
                self.ask(on, asked, must_exist=chance.choice([None, True, False]))
            case "i":
                self.ask_for_several_things(on)
            case "q":
                both = [(each, chance.randint(1, 5)) for each in "abcd"]
                self.append(both, [at_version("d", chance.randint(0, 30))])
            case _:
                await super().step()

    def ask(
        self,
        on: str,
        asked: Ask,
        command_id: bytes | None = None,
        *,
        deadline: float | None = None,
        must_exist: bool | None = None,
    ) -> None:
        draw = self.chance.choice([self.run.ids.fresh, self.run.ids.named])
        command_id = command_id or draw()
        it = self.run.tell(
            on, asked, command_id=command_id, deadline=deadline, must_exist=must_exist
        )
        self.told.append((on, asked, command_id, it))

    def ask_for_several_things(self, on: str) -> None:
        """Under one id, of any kind and age."""
        ids, chance = self.run.ids, self.chance
        same = chance.choice([ids.fresh(), ids.named(), ids.fresh(ago_us=6 * DAY_US)])
        for to, asked in [(on, add(3)), (on, add(3)), (chance.choice("abcd"), take(7))]:
            self.ask(to, asked, same)


@pytest.mark.parametrize("seed", range(60, 80))
async def test_whatever_goes_wrong_every_answer_is_borne_out_by_the_log(
    start: Start, seed: int
) -> None:
    play = Mishaps(await start(FEW), seed)
    for _ in range(300):
        await play.step()
    await play.end()
    await check_all(play, OTHERS)
