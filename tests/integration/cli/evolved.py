"""Types that have changed: the purse of tests/integration/evolving_purse.py in its fifth release,
and a scale in its third."""

from typing import Any

from tests.integration.evolving_purse import release_5

from gesta.domain import aggregate, event, upcast

Purse = release_5()


@upcast("Weighed", from_version=1)
def name_it(old: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"g": old["weight"]}]


@upcast("Weighed", from_version=2)
def name_it_better(old: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"grams": old["g"]}]


@event("Weighed", version=3)
class Weighed:
    grams: int


@aggregate("Scale")
class Scale:
    grams: int = 0

    def evolve(self, event: Weighed) -> "Scale":
        return Scale(event.grams)
