"""Every error of a projection says what happened and what to do."""

from collections.abc import Iterator

import pytest

from gesta.projection import errors
from gesta.projection.errors import ProjectionError

SAMPLES: list[tuple[ProjectionError, str, str]] = [
    (
        errors.PoisonEvent("books", 7, "Booked of Account/a, version 3", "ValueError: no"),
        "event 7 (Booked of Account/a, version 3) failed: ValueError: no",
        "skip MODULE:CLASS --position 7",
    ),
    (
        errors.PoisonEvent("books", 7, "Booked of Account/a, version 3", "Error", alone=False),
        "failed, together with others before it: Error",
        "run it again",
    ),
    (errors.CodeChanged("books", 1, 2), "are of version 1, this code is 2", "rebuild"),
    (errors.CodeChanged("books", 3, 2), "are of version 3, this code is 2", "run the newer code"),
    (errors.CodeChanged("books", 2, 2), "tables or events changed within version 2", "rebuild"),
    (errors.CheckpointLost("books", ["a", "b"]), "there are rows in a, b", "rebuild"),
    (errors.TablesLost("books", ["a", "b"]), "but no table a, b", "rebuild"),
    (errors.CheckpointUndone("books", 9, 5, "restored"), "position 9, is not of", "rebuild"),
    (errors.Superseded("books"), "a newer session", "leave one of them running"),
    (errors.NothingToSkip("books", 7, None), "it has not failed", "gesta project status"),
    (errors.NothingToSkip("books", 7, 8), "it failed at 8, not at 7", "gesta project status"),
    (errors.DatabaseFailed("books", "gone"), "its database failed: gone", "nothing is lost"),
    (errors.NotProjected("books", "no table"), "never run here: no table", "gesta project run"),
]


def below(base: type[ProjectionError]) -> Iterator[type[ProjectionError]]:
    for each in base.__subclasses__():
        yield each
        yield from below(each)


def test_no_error_is_missing_here() -> None:
    families = {errors.MustRebuild}
    assert {type(error) for error, _, _ in SAMPLES} == set(below(ProjectionError)) - families


@pytest.mark.parametrize(
    ("error", "happened", "next_step"), SAMPLES, ids=lambda value: type(value).__name__
)
def test_an_error_says_which_projection_what_happened_and_what_to_do(
    error: ProjectionError, happened: str, next_step: str
) -> None:
    assert str(error).startswith("projection 'books': ")
    assert happened in str(error)
    assert next_step in error.next_step
    assert str(error).endswith(error.next_step)


def test_an_error_has_a_word_for_scripts() -> None:
    assert errors.PoisonEvent("books", 1, "", "").reason == "POISON_EVENT"
    assert errors.DatabaseFailed("books", "").reason == "DATABASE_FAILED"
