"""Upcasters that could not work are refused before anything is read, with what to do."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.unit.domain.refused import refusal
from tests.unit.domain.till import TILL

from gesta.domain import aggregate, event, upcast
from gesta.domain.aggregate import aggregate_type_of
from gesta.domain.catalog import Catalog


@event("Noted", version=3)
class Noted:
    text: str


@event("Closed")
class Closed:
    pass


def step(event_type: str, from_version: int, into: Any = None) -> Callable[..., Any]:
    def upcaster(old: dict[str, Any]) -> list[dict[str, Any]]:
        return [old]

    return upcast(event_type, from_version=from_version, into=into)(upcaster)


def hosted(*upcasters: Callable[..., Any]) -> Catalog:
    @aggregate("Notes", upcasters=upcasters)
    class Notes:
        def evolve(self, event: Noted | Closed) -> "Notes":
            return self

    return Catalog.of(Notes)


WHOLE = (step("Noted", 1), step("Noted", 2))


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ([step("Noted", 1)], "reads Noted version 1 too; keep one"),
        ([step("Noted", 3)], "Noted is at version 3, so none older is 3; raise the version"),
        ([step("Closed", 1, {})], "Closed is at version 1"),
        ([step("Notd", 1)], "it leads to Notd version 2, which is no event of Notes"),
        ([step("Old", 1, {"Notd": 1})], "it leads to Notd version 1, which is no event of Notes"),
        ([step("Old", 1, {"Noted": 4})], "but the newest is 3; raise the version of its @event"),
        ([step("Old", 1, {"Older": 2}), step("Older", 1, {})], "Older version 2, which is no"),
        ([step("Old", 1, {"Older": 1}), step("Older", 2, {})], "which nothing reads on"),
        ([step("Old", 2, {"Noted": 3})], 'write @upcast("Old", from_version=1)'),
        (
            [step("Old", 1, {"New": 1}), step("New", 1, {"Old": 1})],
            "the chain has no end: New version 1, then Old version 1, then New version 1",
        ),
        ([step("Old", 1, {"Old": 1})], "the chain has no end"),
        ([step("Old", 2, {"Old": 1}), step("Old", 1)], "the chain has no end"),
    ],
)
def test_a_set_of_upcasters_that_does_not_lead_to_today_is_refused(
    more: list[Callable[..., Any]], what: str
) -> None:
    hosted(*WHOLE)
    assert what in refusal(lambda: hosted(*WHOLE, *more)).what


@pytest.mark.parametrize("missing", [1, 2])
def test_a_version_between_the_first_and_todays_needs_an_upcaster(missing: int) -> None:
    error = refusal(lambda: hosted(WHOLE[2 - missing]))
    assert f'write @upcast("Noted", from_version={missing})' in error.what


def test_a_step_may_leave_out_versions_that_other_steps_read() -> None:
    catalog = hosted(step("Noted", 1, {"Noted": 3}), step("Noted", 2))
    assert len(catalog.types["Notes"].decode_events("Noted", 1, b'{"text":"a"}')) == 1


def test_versions_of_one_type_may_lead_to_different_ones() -> None:
    kind = hosted(step("Old", 1, {"Closed": 1}), step("Old", 2, {"Noted": 3})).types["Notes"]
    assert kind.current_types_of("Old") == {"Closed", "Noted"}
    assert kind.stored_types_of("Closed") == {"Closed", "Old"}


def test_an_event_without_upcasters_may_begin_at_any_version() -> None:
    assert hosted().types["Notes"].current_types_of("Noted") == {"Noted"}


async def waits(old: dict[str, Any]) -> list[dict[str, Any]]:
    return [old]


def bare() -> list[dict[str, Any]]:
    return []


def yields(old: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield old


@pytest.mark.parametrize(
    ("function", "arguments", "what"),
    [
        (waits, ("Noted", 1, None), "no await"),
        (yields, ("Noted", 1, None), "no yield"),
        (bare, ("Noted", 1, None), "takes the old payload"),
        (lambda old, more: [], ("Noted", 1, None), "takes the old payload"),
        (dict, ("Noted", 1, None), "a plain function"),
        (lambda old: [], ("", 1, None), "the name ''"),
        (lambda old: [], ("Noted", 0, None), "version 0 of Noted must be 1 or more"),
        (lambda old: [], ("Noted", 2**31 - 1, None), "version 2147483648"),
        (lambda old: [], ("Noted", 1, {"a b": 1}), "the name 'a b'"),
        (lambda old: [], ("Noted", 1, {"Noted": "2"}), "version '2'"),
        (lambda old: [], ("Noted", 1, ["Noted"]), "into is {type: version}"),
    ],
)
def test_what_could_not_be_a_step_is_refused_where_it_is_written(
    function: Any, arguments: tuple[str, int, Any], what: str
) -> None:
    name, version, into = arguments
    error = refusal(lambda: upcast(name, from_version=version, into=into)(function))
    assert what in str(error)


def test_only_upcasters_can_be_listed() -> None:
    assert "has no @upcast" in refusal(lambda: hosted(lambda old: [old])).what


@pytest.mark.parametrize(
    "arguments", [{"snapshot_every": -1}, {"snapshot_every": "5"}, {"snapshot_version": -1}]
)
def test_counts_of_snapshots_are_whole_numbers(arguments: dict[str, Any]) -> None:
    def define() -> object:
        return aggregate("Thing", **arguments)(type("Thing", (), {}))

    assert next(iter(arguments)) in refusal(define).what


@pytest.mark.parametrize("off", [None, 0])
def test_snapshots_are_on_by_default_and_can_be_switched_off(off: int | None) -> None:
    @aggregate("Thing", snapshot_every=off)
    class Thing:
        def evolve(self, event: Closed) -> "Thing":
            return self

    kind = aggregate_type_of(Thing)
    assert kind is not None
    assert (kind.snapshot_every, TILL.snapshot_every) == (0, 100)


def test_given_upcasters_are_all_there_are() -> None:
    assert hosted().types["Notes"].evolution.steps == {}
    assert list(hosted(*WHOLE).types["Notes"].evolution.steps) == [("Noted", 1), ("Noted", 2)]
