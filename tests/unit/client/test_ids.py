from uuid import UUID, uuid4

import pytest

from gesta.client.ids import CommandIds, command_id_bytes, command_id_for


def test_drawn_ids_are_version_7_uuids_that_strictly_increase() -> None:
    ids = CommandIds()
    drawn = [ids.draw() for _ in range(10_000)]
    assert drawn == sorted(set(drawn))
    assert {(UUID(bytes=each).version, UUID(bytes=each).variant) for each in drawn} == {
        (7, "specified in RFC 4122")
    }


def test_an_id_holds_the_millisecond_it_was_drawn_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 1_700_000_000_123_456_789)
    drawn = CommandIds().draw()
    assert int.from_bytes(drawn[:6], "big") == 1_700_000_000_123


def test_a_clock_that_steps_back_gives_no_smaller_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = iter([2_000_000_000, 1_000_000_000, 1_000_000_000, 3_000_000_000])
    monkeypatch.setattr("time.time_ns", lambda: next(now))
    ids = CommandIds()
    drawn = [ids.draw() for _ in range(4)]
    assert drawn == sorted(set(drawn))
    assert [int.from_bytes(each[:6], "big") for each in drawn] == [2_000, 2_000, 2_000, 3_000]


def test_a_millisecond_that_is_used_up_gives_way_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 1_000_000_000)
    ids = CommandIds()
    first = ids.draw()
    ids._last |= (1 << 62) - 1
    second = ids.draw()
    assert first < second
    assert int.from_bytes(second[:6], "big") == 1_001


def test_two_generators_do_not_draw_the_same() -> None:
    one, other = CommandIds(), CommandIds()
    assert not {one.draw() for _ in range(1_000)} & {other.draw() for _ in range(1_000)}


def test_a_business_key_stands_for_the_same_id_for_ever() -> None:
    # Written down when the namespace was chosen. A change executes old commands again.
    assert str(command_id_for("invoice-17")) == "80759936-8a6d-5d9d-b88b-69787368dcfb"


def test_a_command_id_may_be_a_uuid_its_text_or_a_business_key() -> None:
    given = uuid4()
    assert given.bytes == command_id_bytes(given) == command_id_bytes(str(given))
    assert command_id_for("invoice-17").bytes == command_id_bytes("invoice-17")
