"""An aggregate type as JSON schemas, for programs in other languages."""

import json
from typing import Any

from tests.unit.domain.bank import BANK
from tests.unit.domain.till import TILL

from gesta.domain.describe import describe

INT64 = {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}


def named(parts: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {part["name"]: part for part in parts}


def resolved(schema: dict[str, Any]) -> Any:
    return schema["$defs"][schema["$ref"].rsplit("/", 1)[-1]]


def test_a_description_is_json_and_names_every_part() -> None:
    described = json.loads(json.dumps(describe(BANK)))
    assert described["name"] == "BankAccount"
    assert described["doc"] == "An account at the bank."
    assert described["snapshot_every"] == 50
    assert set(named(described["events"])) == set(BANK.events)
    assert set(named(described["commands"])) == set(BANK.commands)
    assert set(named(described["queries"])) == set(BANK.queries)


def test_a_command_says_what_it_takes_replies_and_rejects() -> None:
    command = named(describe(BANK)["commands"])["withdraw"]
    arguments = resolved(command["arguments"])
    assert arguments["properties"]["amount"] == INT64
    assert set(arguments["properties"]) == {"amount", "reference"}
    assert arguments["required"] == ["amount"]
    assert arguments["additionalProperties"] is False
    assert resolved(command["reply"])["properties"] == {"value": INT64}
    assert command["rejects"] == ["ACCOUNT_NOT_OPEN", "INSUFFICIENT_FUNDS"]


def test_documentation_is_the_authors_and_nothing_made_up() -> None:
    commands = named(describe(BANK)["commands"])
    assert commands["open"]["doc"] == "Opens it; again is no change."
    assert commands["deposit"]["doc"] == ""
    assert named(describe(BANK)["events"])["AccountOpened"]["doc"] == ""


def test_an_event_says_its_schema_and_version() -> None:
    event = named(describe(BANK)["events"])["MoneyWithdrawn"]
    assert (event["schema_version"], event["older_versions"]) == (2, [])
    assert resolved(event["schema"])["required"] == ["amount"]


def test_the_state_has_a_schema() -> None:
    assert resolved(describe(BANK)["state"])["properties"]["is_open"]["type"] == "boolean"


def test_events_say_which_older_versions_are_read_and_what_became_of_retired_ones() -> None:
    described = describe(TILL)
    assert named(described["events"])["Payout"]["older_versions"] == [1, 2]
    assert described["retired_events"] == [
        {"name": "Counted", "schema_versions": [1], "read_as": []},
        {
            "name": "MoneyMoved",
            "schema_versions": [1, 2],
            "read_as": ["MoneyPaidIn", "Payout", "TipLeft"],
        },
        {"name": "MoneyPaidOut", "schema_versions": [1], "read_as": ["Payout"]},
    ]
