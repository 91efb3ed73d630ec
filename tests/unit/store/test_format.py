"""docs/format.md says how the bytes of a log are to be read; this reads them so, without gesta.

What is here beside the tests is a second, independent implementation of that page.
"""

import json
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from struct import pack
from zlib import crc32

import pytest

from gesta.store.port import slice_of

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "format.md").read_text()
GOLDEN = ROOT / "tests" / "golden" / "log-format-1.sqlite3"


def canonical(value: object) -> bytes:
    """The MessagePack of a value, in its shortest form."""
    if value is None or isinstance(value, bool):
        return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, str):
        text = value.encode()
        small = bytes([0xA0 | len(text)]) if len(text) < 32 else _sized(0xD9, len(text))
        return small + text
    if isinstance(value, bytes):
        return _sized(0xC4, len(value)) + value
    assert isinstance(value, Sequence)
    count = len(value)
    head = bytes([0x90 | count]) if count < 16 else b"\xdc" + pack(">H", count)
    return head + b"".join(map(canonical, value))


def _integer(value: int) -> bytes:
    if -32 <= value < 128:
        return pack(">b", value)
    kinds = (
        [(0xCC, ">B"), (0xCD, ">H"), (0xCE, ">I"), (0xCF, ">Q")]
        if value > 0
        else [(0xD0, ">b"), (0xD1, ">h"), (0xD2, ">i"), (0xD3, ">q")]
    )
    for index, (first, form) in enumerate(kinds):
        bits = 8 << index if value > 0 else (8 << index) - 1
        if -(1 << bits) <= value < 1 << bits:
            return bytes([first]) + pack(form, value)
    raise AssertionError(value)


def _sized(first: int, size: int) -> bytes:
    """A length, behind the first byte that says how many bytes the length has."""
    for index, (limit, form) in enumerate([(1 << 8, ">B"), (1 << 16, ">H"), (1 << 32, ">I")]):
        if size < limit:
            return bytes([first + index]) + pack(form, size)
    raise AssertionError(size)


@pytest.fixture(scope="module")
def rows() -> dict[str, list[sqlite3.Row]]:
    with closing(sqlite3.connect(f"{GOLDEN.as_uri()}?immutable=1", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        tables = ("log", "incarnations", "epochs", "names", "streams", "events", "commands")
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables}


def test_the_checksums_of_all_tables_are_what_the_page_says(
    rows: dict[str, list[sqlite3.Row]],
) -> None:
    names = {row["id"]: row["name"] for row in rows["names"]}
    streams = {row["id"]: (names[row["type_id"]], row["aggregate_id"]) for row in rows["streams"]}
    covered: dict[str, list[tuple[object, ...]]] = {
        "log": [(row["log_id"], row["created_us"]) for row in rows["log"]],
        "incarnations": [tuple(row)[:2] for row in rows["incarnations"]],
        "epochs": [tuple(row)[:3] for row in rows["epochs"]],
        "names": [tuple(row)[:3] for row in rows["names"]],
        "streams": [(row["id"], *streams[row["id"]], row["slice"]) for row in rows["streams"]],
        "events": [event_fields(row, streams, names) for row in rows["events"]],
        "commands": [(*tuple(row)[:6], row["reply"].encode()) for row in rows["commands"]],
    }
    for table, records in covered.items():
        assert records
        expected = [crc32(canonical(record)) for record in records]
        assert [row["checksum"] for row in rows[table]] == expected, table


def event_fields(
    row: sqlite3.Row, streams: dict[int, tuple[str, str]], names: dict[int, str]
) -> tuple[object, ...]:
    """The seventeen fields that an event's checksum covers."""
    return (
        row["position"],
        *streams[row["stream_id"]],
        row["version"],
        row["event_id"],
        names[row["event_type_id"]],
        row["schema_version"],
        row["data"].encode(),
        row["command_id"],
        row["more_in_command"] == 1,
        row["commit_time_us"],
        row["occurred_at_us"],
        row["correlation_id"],
        row["causation_id"],
        names[row["principal_id"]],
        row["traceparent"],
        None if row["metadata"] is None else row["metadata"].encode(),
    )


def test_the_worked_example_of_the_page_is_right(rows: dict[str, list[sqlite3.Row]]) -> None:
    (record,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    fields = json.loads(record)
    for index in (4, 8):
        fields[index] = bytes.fromhex(fields[index])
    fields[7] = fields[7].encode()
    (dump, checksum) = re.findall(r"```text\n([0-9a-f\s]+)```\n\nCRC-32 (\d+)", PAGE)[0]
    assert canonical(fields) == bytes.fromhex(dump)
    assert crc32(canonical(fields)) == int(checksum)
    assert rows["events"][0]["checksum"] == int(checksum)


def test_the_slices_of_the_page_are_right(rows: dict[str, list[sqlite3.Row]]) -> None:
    vectors = re.findall(r"^\| `(\w+)` \| `(.*?)` \| (\d+) \|$", PAGE, re.MULTILINE)
    assert len(vectors) >= 4
    for aggregate_type, aggregate_id, slice_number in vectors:
        digest = sha256(f"{aggregate_type}\0{aggregate_id}".encode()).digest()
        assert int(slice_number) == (digest[0] * 256 + digest[1]) % 1024
        assert int(slice_number) == slice_of(aggregate_type, aggregate_id)
    names = {row["id"]: row["name"] for row in rows["names"]}
    for row in rows["streams"]:
        assert row["slice"] == slice_of(names[row["type_id"]], row["aggregate_id"])


def test_every_column_is_explained_on_the_page(rows: dict[str, list[sqlite3.Row]]) -> None:
    sections = re.split(r"^### ", PAGE, flags=re.MULTILINE)
    for table, found in rows.items():
        (section,) = [each for each in sections if each.startswith(f"`{table}`")]
        for column in found[0].keys():  # noqa: SIM118  (iterating a Row gives its values)
            assert f"| `{column}` |" in section, (table, column)
