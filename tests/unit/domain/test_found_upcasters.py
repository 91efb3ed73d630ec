"""Which upcasters an aggregate finds by itself, and which it leaves to others."""

from pathlib import Path

import pytest

from gesta.domain import DefinitionError
from gesta.domain.catalog import Catalog

EVENTS = """
from gesta.domain import event, upcast

@event("Loaded", version=2)
class Loaded:
    by: int

@event("Opened")
class Opened:
    pass

@upcast("Loaded", from_version=1)
def whole_numbers(old):
    return [{"by": round(old["by"])}]

@upcast("Noise", from_version=1, into={})
def drop_noise(old):
    return []
"""
WALLETS = """
from gesta.domain import aggregate, upcast
from wallet_events import Loaded, Opened

@aggregate("Wallet")
class Wallet:
    def evolve(self, event: Loaded) -> "Wallet":
        return self

@aggregate("Door")
class Door:
    def evolve(self, event: Opened) -> "Door":
        return self

@upcast("Filled", from_version=1, into={"Loaded": 1})
def filled(old):
    return [old]
"""


def test_upcasters_are_found_beside_the_events_and_below_the_aggregate(folder: Path) -> None:
    (folder / "wallet_events.py").write_text(EVENTS, "utf-8")
    (folder / "wallets.py").write_text(WALLETS, "utf-8")
    types = Catalog.load("wallets").types
    assert types["Wallet"].stored_types_of("Loaded") == {"Loaded", "Filled"}
    (loaded,) = types["Wallet"].upcast("Filled", 1, b'{"by":4.9}')
    assert loaded == ("Loaded", 2, b'{"by":5}')
    assert types["Wallet"].decode_events("Noise", 1, b"{}") == ()


def test_another_aggregates_upcasters_are_left_to_it(folder: Path) -> None:
    (folder / "wallet_events.py").write_text(EVENTS, "utf-8")
    (folder / "wallets.py").write_text(WALLETS, "utf-8")
    door = Catalog.load("wallets:Door").types["Door"]
    assert set(door.evolution.current_types) == {"Opened", "Noise"}


HOUSE = """
import wallet_events
from gesta.domain import aggregate, event, upcast

@event("Rung")
class Rung:
    pass

@aggregate("Wallet")
class Wallet:
    def evolve(self, event: wallet_events.Loaded) -> "Wallet":
        return self

@aggregate("Bell")
class Bell:
    def evolve(self, event: Rung) -> "Bell":
        return self

@upcast("Filled", from_version=1, into={"Loaded": 1})
def filled(old):
    return [old]
"""


def test_what_another_aggregate_there_takes_is_not_a_mistake(folder: Path) -> None:
    (folder / "wallet_events.py").write_text(EVENTS, "utf-8")
    (folder / "house.py").write_text(HOUSE, "utf-8")
    types = Catalog.load("house").types
    assert set(types["Bell"].evolution.current_types) == {"Rung"}
    assert types["Wallet"].stored_types_of("Loaded") == {"Loaded", "Filled"}


def test_one_upcaster_imported_twice_is_one(folder: Path) -> None:
    (folder / "wallet_events.py").write_text(EVENTS, "utf-8")
    text = WALLETS + "from wallet_events import whole_numbers, drop_noise\n"
    (folder / "wallets.py").write_text(text, "utf-8")
    assert set(Catalog.load("wallets").types) == {"Wallet", "Door"}


@pytest.mark.parametrize(
    ("wrong", "what"),
    [('{"Loade": 1}', "Loade version 1"), ('{"Loaded": 1, "Opened": 1}', "Opened version 1")],
)
def test_a_found_upcaster_into_an_event_of_nobody_is_refused(
    folder: Path, wrong: str, what: str
) -> None:
    (folder / "wallet_events.py").write_text(EVENTS, "utf-8")
    (folder / "wallets.py").write_text(WALLETS.replace('{"Loaded": 1}', wrong), "utf-8")
    with pytest.raises(DefinitionError) as caught:
        Catalog.load("wallets")
    assert caught.value.where == "wallets.filled"
    assert what in caught.value.what
