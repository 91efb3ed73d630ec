"""What a caller may demand of an aggregate before anything is decided."""

from gesta.engine.actor import Actor
from gesta.engine.errors import AggregateExists, AggregateNotFound, VersionConflict


def check(actor: Actor, expected_version: int | None, must_exist: bool | None) -> None:
    """Hold the demands against the tentative version; raise the one that fails."""
    version, stream = actor.version, actor.stream
    if expected_version is not None and expected_version != version:
        raise VersionConflict(stream.aggregate_type, stream.aggregate_id, expected_version, version)
    if must_exist is True and not version:
        raise AggregateNotFound(stream.aggregate_type, stream.aggregate_id)
    if must_exist is False and version:
        raise AggregateExists(stream.aggregate_type, stream.aggregate_id, version)
