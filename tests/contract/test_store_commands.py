"""What stores promise about the remembered answers to commands."""

from tests.contract.samples import Author, a_command, id_v7

from gesta.store import Batch, EventStore

DAY_US = 86_400_000_000


async def test_a_stored_answer_is_found_equal(store: EventStore) -> None:
    odd = a_command(b"\0" * 16)._replace(fingerprint=b"\xff" * 16, reply="é".encode())
    empty = a_command(b"\xff" * 16)._replace(reply=b"", version=2**40, position=0)
    await store.append(Batch(7, commands=[odd, empty]))
    assert await store.find_command(b"\0" * 16) == odd
    assert await store.find_command(b"\xff" * 16) == empty
    assert await store.find_command(b"\1" * 16) is None


async def test_command_ids_come_in_descending_order_within_their_bounds(
    store: EventStore,
) -> None:
    ids = [id_v7(time, serial) for time in (1_000, 2_000, 3_000) for serial in (1, 2)]
    await store.append(Batch(7, commands=[a_command(each) for each in ids]))
    assert await store.command_ids_between(b"\0" * 16, b"\xff" * 16, 10) == ids[::-1]
    assert await store.command_ids_between(b"\0" * 16, b"\xff" * 16, 2) == ids[:3:-1]
    assert await store.command_ids_between(ids[1], ids[4], 10) == [ids[3], ids[2], ids[1]]
    assert await store.command_ids_between(ids[1], ids[1], 10) == []


async def test_pruning_forgets_old_answers_and_no_others(store: EventStore) -> None:
    old = [a_command(id_v7(1_000, n), commit_time_us=1_000) for n in range(5)]
    new = [a_command(id_v7(DAY_US, n), commit_time_us=DAY_US) for n in range(5)]
    await store.append(Batch(DAY_US, commands=old + new))
    assert await store.prune_commands(DAY_US, 100) == 5
    assert await store.prune_commands(DAY_US, 100) == 0
    assert [await store.find_command(each.command_id) for each in old] == [None] * 5
    assert [await store.find_command(each.command_id) for each in new] == new


async def test_pruning_goes_by_the_commit_time_not_by_the_id(store: EventStore) -> None:
    late = a_command(id_v7(1_000, 1), commit_time_us=DAY_US)
    early = a_command(id_v7(2 * DAY_US, 1), commit_time_us=DAY_US - 1)
    await store.append(Batch(DAY_US, commands=[late, early]))
    assert await store.prune_commands(DAY_US, 10) == 1
    assert await store.find_command(late.command_id) == late
    assert await store.find_command(early.command_id) is None


async def test_pruning_forgets_at_most_its_limit(store: EventStore) -> None:
    old = [a_command(id_v7(1_000, n), commit_time_us=1_000) for n in range(10)]
    await store.append(Batch(1_000, commands=old))
    assert await store.prune_commands(DAY_US, 4) == 4
    assert await store.prune_commands(DAY_US, 4) == 4
    assert await store.prune_commands(DAY_US, 4) == 2


async def test_pruning_reaches_every_kind_of_id_in_the_end(store: EventStore) -> None:
    ids = [bytes([n]) * 16 for n in range(256)]
    keep = {n for n in range(256) if n % 3 == 0}
    commands = [
        a_command(each, commit_time_us=DAY_US if n in keep else 1) for n, each in enumerate(ids)
    ]
    await store.append(Batch(DAY_US, commands=commands))
    forgotten = [await store.prune_commands(DAY_US, 20) for _ in range(40)]
    assert max(forgotten) <= 20
    left = await store.command_ids_between(b"", b"\xff" * 17, 1_000)
    assert left == [ids[n] for n in sorted(keep, reverse=True)]


async def test_an_answer_that_was_forgotten_may_be_stored_anew(
    store: EventStore, author: Author
) -> None:
    batch = await author.write("a", commit_time_us=1_000)
    assert await store.prune_commands(DAY_US, 10) == 1
    again = a_command(batch.commands[0].command_id, position=1)
    await store.append(Batch(DAY_US, commands=[again]))
    assert await store.find_command(again.command_id) == again
