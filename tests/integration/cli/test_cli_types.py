"""`gesta types`, of a type that has changed."""

import json
from pathlib import Path

from tests.integration.cli.command import served

CHANGED = "tests.integration.cli.evolved"


def test_what_is_read_of_old_and_written_no_more_is_told(tmp_path: Path) -> None:
    with served(tmp_path, CHANGED) as server:
        lines = server.gesta("types").stdout.splitlines()
        assert "  event   Received(amount: integer)" in lines
        assert "  event   Weighed(grams: integer)  v3 (reads v1, v2)" in lines
        assert "  retired Paid v1, v2, v3  read as Outlay, Received" in lines
        assert "  retired Greeted v1  read as nothing" in lines
        types = json.loads(server.gesta("types", "Purse", "--json").stdout)["aggregate_types"]
        retired = {each["event_type"]: each for each in types[0]["retired_events"]}
        assert retired["Paid"]["schema_versions"] == [1, 2, 3]
        assert retired["Greeted"]["read_as"] == []
