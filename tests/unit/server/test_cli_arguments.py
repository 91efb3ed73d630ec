"""Arguments from the words of a command line."""

import json
from typing import Any

import pytest

from gesta.server.cli.arguments import needs_schema, parse_arguments, parse_pairs
from gesta.server.cli.exit_codes import ExitCode
from gesta.server.cli.failure import Failure

SCHEMA: dict[str, Any] = {
    "$ref": "#/$defs/arguments",
    "$defs": {
        "arguments": {
            "properties": {
                "text": {"type": "string"},
                "amount": {"type": "integer"},
                "perhaps": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                "either": {"type": ["string", "integer"]},
                "kind": {"$ref": "#/$defs/Kind"},
                "list": {"type": "array", "items": {"type": "string"}},
            }
        },
        "Kind": {"enum": ["1", "2"]},
    },
}


def parsed(*words: str, schema: dict[str, Any] | None = None) -> Any:
    return {name: json.loads(bytes(raw)) for name, raw in parse_arguments(words, schema).items()}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("5", 5),
        ("-1.50", -1.5),
        ("true", True),
        ("null", None),
        ('["a"]', ["a"]),
        ('"5"', "5"),
        ("hello", "hello"),
        ("", ""),
        ("NaN", "NaN"),
        ("a=b", "a=b"),
        ('say "hi"', 'say "hi"'),
        ("[" * 5_000, "[" * 5_000),
    ],
)
def test_without_a_schema_a_value_is_json_if_it_parses_else_text(
    value: str, expected: object
) -> None:
    assert parsed(f"name={value}") == {"name": expected}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("text=123", "123"),
        ("text=true", "true"),
        ("text=null", "null"),
        ("text=[1]", "[1]"),
        ("text=1e400", "1e400"),
        ('text="quoted"', "quoted"),
        ("amount=5", 5),
        ("amount=five", "five"),  # for the server to refuse, by the field's name
        ("perhaps=null", None),
        ("perhaps=7", "7"),
        ("either=7", 7),
        ("kind=1", "1"),
        ('list=["1"]', ["1"]),
        ("other=7", 7),
    ],
)
def test_the_schema_settles_what_a_value_is(word: str, expected: object) -> None:
    (value,) = parsed(word, schema=SCHEMA).values()
    assert value == expected


@pytest.mark.parametrize("words", [("amount=1.10000000000000000001",), ('{"amount": 1.10e2}',)])
def test_every_digit_stays_as_it_was_written(words: tuple[str]) -> None:
    (raw,) = parse_arguments(words, None).values()
    assert bytes(raw).decode() in words[0]


def test_one_object_is_all_the_arguments_and_needs_no_schema() -> None:
    words = (' {"amount": 5, "note": {"a": [1]}}',)
    assert not needs_schema(words)
    assert not needs_schema(())
    assert needs_schema(("amount=5",))
    assert parsed(*words) == {"amount": 5, "note": {"a": [1]}}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("amount",), "'amount' is neither"),
        (("=5",), "'=5' is neither"),
        (("[1]",), "'[1]' is neither"),
        (('{"a": 1}', "b=2"), "is neither"),
        (("a=1", "a=1"), "a is given twice"),
        (('{"a": ',), "not a JSON object"),
        (('{"a": NaN}',), "not a JSON object"),
        (('{"a":' * 5_000,), "not a JSON object"),
    ],
)
def test_words_that_are_no_arguments_are_bad_input(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(Failure) as failed:
        parse_arguments(words, SCHEMA)
    assert failed.value.code is ExitCode.BAD_INPUT
    assert said in failed.value.text


def test_pairs_are_plain_text() -> None:
    assert parse_pairs(["a=1", "b=x=y", "c="], "--metadata") == {"a": "1", "b": "x=y", "c": ""}
    with pytest.raises(Failure, match="--metadata: 'a' is not key=value"):
        parse_pairs(["a"], "--metadata")
