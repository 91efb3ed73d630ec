"""Filters as they are sent, checked."""

from gesta.engine.errors import InvalidRequest
from gesta.engine.filters import EVERYTHING, Filter, FilterItem
from gesta.server.rpc.fields import check_id, check_reference, check_type
from gesta.v1 import event_pb2

FILTER_ITEMS_MAX = 64
FILTER_NAMES_MAX = 256


def filter_of(message: event_pb2.EventFilter, field: str) -> Filter:
    """An EventFilter; without items it matches everything."""
    if not message.items:
        return EVERYTHING
    if len(message.items) > FILTER_ITEMS_MAX:
        raise InvalidRequest(f"{field}.items", f"at most {FILTER_ITEMS_MAX}")
    return Filter(
        [_filter_item(item, f"{field}.items[{i}]") for i, item in enumerate(message.items)]
    )


def _filter_item(item: event_pb2.EventFilterItem, field: str) -> FilterItem:
    if not item.ListFields():
        raise InvalidRequest(field, "must set something")
    if len(item.aggregate_types) > FILTER_ITEMS_MAX:
        raise InvalidRequest(f"{field}.aggregate_types", f"at most {FILTER_ITEMS_MAX}")
    if len(item.event_types) > FILTER_NAMES_MAX:
        raise InvalidRequest(f"{field}.event_types", f"at most {FILTER_NAMES_MAX}")
    for name in item.aggregate_types:
        check_type(name, f"{field}.aggregate_types")
    for name in item.event_types:
        check_type(name, f"{field}.event_types")
    if item.id_prefix:
        check_id(item.id_prefix, f"{field}.id_prefix")
    if len(item.command_id) not in (0, 16):
        raise InvalidRequest(f"{field}.command_id", "must have 16 bytes, a UUID")
    return FilterItem(
        frozenset(item.aggregate_types),
        frozenset(item.event_types),
        item.id_prefix,
        check_reference(item.correlation_id, f"{field}.correlation_id") or "",
        item.command_id,
    )
