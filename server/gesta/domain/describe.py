"""An aggregate type described for people and programs in other languages: JSON schemas."""

import inspect
from typing import Any

import msgspec

from gesta.domain.aggregate import AggregateType
from gesta.domain.contract import HandlerType


def describe(aggregate_type: AggregateType) -> dict[str, Any]:
    """JSON-able. Every schema stands alone, with its own $defs (JSON Schema 2020-12)."""
    return {
        "name": aggregate_type.name,
        "doc": _own_doc(aggregate_type.state_class),
        "snapshot_every": aggregate_type.snapshot_every,
        "state": _schema(aggregate_type.state.shape.wire),
        "events": [
            {
                "name": event.name,
                "schema_version": event.schema_version,
                "older_versions": _older_versions(aggregate_type, event.name),
                "doc": _own_doc(event.event_class),
                "schema": _schema(event.codec.shape.wire),
            }
            for event in aggregate_type.events.values()
        ],
        "retired_events": [
            {
                "name": name,
                "schema_versions": _older_versions(aggregate_type, name),
                "read_as": sorted(current_types),
            }
            for name, current_types in aggregate_type.evolution.current_types.items()
            if name not in aggregate_type.events
        ],
        "commands": [
            {**_handler(command), "rejects": sorted(command.rejects)}
            for command in aggregate_type.commands.values()
        ],
        "queries": [_handler(query) for query in aggregate_type.queries.values()],
    }


def _older_versions(aggregate_type: AggregateType, event_type: str) -> list[int]:
    """Those of its schema that may be stored and are read through upcasters, oldest first."""
    return [version for name, version in aggregate_type.evolution.steps if name == event_type]


def _handler(handler: HandlerType) -> dict[str, Any]:
    return {
        "name": handler.name,
        "doc": handler.doc,
        "arguments": _schema(handler.arguments.wire),
        "reply": _schema(handler.reply.shape.wire),
    }


def _schema(wire: Any) -> dict[str, Any]:
    return msgspec.json.schema(wire)


def _own_doc(cls: type) -> str:
    """A dataclass without a docstring is given its signature as one, which says nothing more."""
    doc = inspect.getdoc(cls) or ""
    return "" if doc.startswith(f"{cls.__name__}(") else doc
