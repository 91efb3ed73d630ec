"""What every keeper of snapshots promises."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gesta.store import MemorySnapshots, Snapshot, SnapshotStore, SqliteSnapshots
from gesta.store.port import Incarnation, LogInfo
from gesta.store.snapshots import SNAPSHOTS_PER_AGGREGATE_MAX, SnapshotCount, thinned

LOG = LogInfo(b"l" * 16, (Incarnation(1, 0),), 1, 100, 0)
CODE, OTHER_CODE = b"c" * 16, b"d" * 16


def snapshot(
    version: int, aggregate_id: str = "a", *, fingerprint: bytes = CODE, state: bytes = b"{}"
) -> Snapshot:
    return Snapshot("T", aggregate_id, version, version * 2, 7, fingerprint, state)


@pytest.fixture(params=["memory", "sqlite"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SnapshotStore]:
    store: SnapshotStore
    store = MemorySnapshots() if request.param == "memory" else SqliteSnapshots(tmp_path)
    await store.open(LOG)
    yield store
    await store.close()


async def test_the_newest_at_or_before_a_version_is_found(kept: SnapshotStore) -> None:
    await kept.save([snapshot(10), snapshot(30)])
    await kept.save([snapshot(20), snapshot(5, "b")])
    for at_most, version in ((9, None), (10, 10), (29, 20), (30, 30), (2**62, 30)):
        found = await kept.find("T", "a", CODE, at_most)
        assert (found and found.version) == version
    assert await kept.find("T", "a", CODE, 30) == snapshot(30)
    assert await kept.find("U", "a", CODE, 30) is None
    assert await kept.find("T", "c", CODE, 30) is None


async def test_those_of_other_code_are_not_found_and_go_with_the_next_that_is_saved(
    kept: SnapshotStore,
) -> None:
    await kept.save([snapshot(10), snapshot(20)])
    assert await kept.find("T", "a", OTHER_CODE, 30) is None
    await kept.save([snapshot(15, fingerprint=OTHER_CODE)])
    assert await kept.find("T", "a", CODE, 30) is None
    assert await kept.find("T", "a", OTHER_CODE, 30) == snapshot(15, fingerprint=OTHER_CODE)


async def test_of_two_for_one_version_the_later_one_stays(kept: SnapshotStore) -> None:
    await kept.save([snapshot(10, state=b"1")])
    await kept.save([snapshot(10, state=b"2")])
    assert await kept.find("T", "a", CODE, 10) == snapshot(10, state=b"2")


async def test_an_aggregate_keeps_so_many_and_the_newest_among_them(kept: SnapshotStore) -> None:
    for version in range(100, 10_001, 100):
        await kept.save([snapshot(version)])
    count = (await kept.count())["T"]
    assert (count.snapshots, count.aggregates) == (SNAPSHOTS_PER_AGGREGATE_MAX, 1)
    for at_most in range(10_000, 9_600, -100):
        found = await kept.find("T", "a", CODE, at_most)
        assert found is not None
        assert found.version == at_most


@given(st.integers(1, 50), st.integers(17, 400))
def test_what_is_kept_gets_thinner_towards_the_past(every: int, snapshots: int) -> None:
    kept: set[int] = set()
    for version in range(every, every * snapshots + 1, every):
        kept = thinned([*kept, version])
    assert len(kept) == SNAPSHOTS_PER_AGGREGATE_MAX
    newest = every * snapshots
    for version in range(1, newest, max(1, newest // 50)):
        begin = max((each for each in kept if each <= version), default=0)
        assert version - begin <= max(newest - begin, 2 * every)


async def test_what_is_kept_is_counted_and_cleared_by_type(kept: SnapshotStore) -> None:
    other = snapshot(1)._replace(aggregate_type="U", state=b"12345")
    await kept.save([snapshot(1), snapshot(2), snapshot(1, "b"), other])
    assert await kept.count() == {"T": SnapshotCount(3, 2, 6), "U": SnapshotCount(1, 1, 5)}
    assert await kept.clear("T") == 3
    assert await kept.find("T", "a", CODE, 9) is None
    assert await kept.clear() == 1
    assert await kept.count() == {}


async def test_ids_and_states_of_any_kind_come_back_as_they_were(kept: SnapshotStore) -> None:
    odd = Snapshot("Größe", "a\u2028 🙂'", 2**62, 2**62, 2**32 - 1, CODE, b'{"\xc3\xa4":"\\u0000"}')
    await kept.save([odd])
    assert await kept.find(odd.aggregate_type, odd.aggregate_id, CODE, 2**63 - 1) == odd
