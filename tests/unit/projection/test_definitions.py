"""What a projection's class may be, found when it is defined."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, String, Table, UniqueConstraint
from sqlalchemy.ext.asyncio import AsyncConnection

from gesta.client import Event, Match
from gesta.domain import DefinitionError, event
from gesta.projection import Projection, on
from gesta.projection.generations import rebuilt_class, tables_of
from gesta.projection.projection import definition_of


@event("Opened")
class Opened:
    owner: str


@event("Opened", version=2)
class OpenedBy:
    owner: str


@event("Shut")
class Shut:
    pass


def a_table(name: str = "things", *columns: Any, metadata: MetaData | None = None) -> Table:
    return Table(name, metadata or MetaData(), Column("id", String(20), primary_key=True), *columns)


def handler(*events: Any) -> Any:
    async def handle(self: Any, event: Any, recorded: Event, connection: AsyncConnection) -> None:
        pass

    decorate: Any = on
    return decorate(*events)(handle)


def define(**body: Any) -> type[Projection]:
    """A projection that is right, but for what is given."""
    right = {"name": "things", "things": a_table(), "opened": handler(Opened)}
    return type("Things", (Projection,), right | body)


@on(Opened)  # type: ignore[arg-type]
async def short(self: Any, event: Any) -> None:
    pass


@on(Opened)  # type: ignore[arg-type]
def blocking(self: Any, event: Any, recorded: Event, connection: AsyncConnection) -> None:
    pass


SHARED = MetaData()
STRANGER = a_table("stranger", metadata=SHARED)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"name": ""}, "the name '' must be"),
        ({"name": "a@rebuild"}, "must be 1 to 100"),
        ({"name": 7}, "the name 7 must be"),
        ({"version": 0}, "version 0 must be 1 or more"),
        ({"version": "1"}, "version '1' must be"),
        ({"things": None}, "it has no table"),
        ({"things": a_table("own", metadata=SHARED)}, "'stranger', which is no attribute"),
        ({"things": a_table("t" * 51)}, "50 characters at most"),
        ({"things": a_table("gesta_projections")}, "does not begin with"),
        ({"things": a_table("t", Column("x", ForeignKey("t.id")))}, "no foreign key"),
        ({"things": Table("t", MetaData(schema="s"), Column("id", Integer))}, "no schema"),
        ({"opened": None}, "no method is a handler"),
        ({"opened": blocking}, "a handler is an async method"),
        ({"opened": short}, r"takes \(self, event, recorded, connection\)"),
        ({"opened": handler(str)}, "is neither an @event class nor a name"),
        ({"again": handler("Opened")}, "Opened has a handler already"),
    ],
)
def test_what_cannot_be_a_projection_is_told_at_once(body: dict[str, Any], told: str) -> None:
    with pytest.raises(DefinitionError, match=told):
        define(**body)


def test_a_filter_asks_for_the_events_that_have_a_handler() -> None:
    class Several(Projection):
        name = "several"
        things = a_table()

        @on(Shut, Opened)
        async def either(
            self, event: Shut | Opened, recorded: Event, connection: AsyncConnection
        ) -> None: ...

        @on("Moved", "Painted")
        async def named(
            self, event: dict[str, Any], recorded: Event, connection: AsyncConnection
        ) -> None: ...

    assert definition_of(Several).match == Match(event_types=["Moved", "Opened", "Painted", "Shut"])


def test_only_a_class_with_a_name_of_its_own_is_a_projection() -> None:
    class Nameless(Projection):
        things = a_table()

    named = define()
    assert definition_of(named).name == "things"
    for other in (Projection, Nameless, type("Child", (named,), {}), int, None):
        with pytest.raises(TypeError, match="is not a projection with a name"):
            definition_of(other)  # type: ignore[arg-type]


def fingerprint(**body: Any) -> str:
    return definition_of(define(**body)).fingerprint


@pytest.mark.parametrize(
    "body",
    [
        {"things": a_table("others")},
        {"things": a_table("things", Column("more", Integer))},
        {"things": Table("things", MetaData(), Column("id", String(21), primary_key=True))},
        {"things": Table("things", MetaData(), Column("id", String(20), nullable=False))},
        {"opened": handler(OpenedBy)},
        {"opened": handler("Opened")},
        {"shut": handler(Shut)},
    ],
)
def test_other_tables_or_events_make_another_fingerprint(body: dict[str, Any]) -> None:
    assert fingerprint(**body) != fingerprint()


@pytest.mark.parametrize(
    "body",
    [
        {"things": a_table()},
        {"name": "elsewhere"},
        {"version": 2},
        {"opened": None, "renamed": handler(Opened)},
        {"attribute": a_table(), "things": None},
    ],
)
def test_what_does_not_touch_the_rows_leaves_the_fingerprint_as_it_is(body: dict[str, Any]) -> None:
    assert fingerprint(**body) == fingerprint()


def test_a_version_is_inherited() -> None:
    base = define(version=3)
    child: Callable[..., Any] = type("Child", (base,), {"name": "child"})
    assert definition_of(child).version == 3  # type: ignore[arg-type]


def test_the_tables_of_a_rebuild_have_names_of_their_own_throughout() -> None:
    table = Table(
        "things",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("owner", String(20), index=True),
        Index("by_owner", "owner"),
        UniqueConstraint("owner", name="one_owner"),
    )
    projection = define(things=table)
    names = set()
    for generation in (1, 2, 3):
        rebuilt = rebuilt_class(definition_of(projection), generation)
        (copy,) = tables_of(definition_of(projection), rebuilt)
        names |= {copy.name, *(str(index.name) for index in copy.indexes)}
        names |= {str(each.name) for each in copy.constraints if each.name}
        assert rebuilt().things is copy  # type: ignore[attr-defined]
    assert len(names) == 3 * 4
    assert projection().things is table  # type: ignore[attr-defined]
    assert "things__g2" in names
