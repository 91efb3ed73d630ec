"""What a server is set up with, and what it refuses before it starts."""

import pytest

from gesta.domain.catalog import Catalog
from gesta.server.config import MEMORY, Config, ConfigError
from gesta.server.process import Server


def test_the_defaults_work_and_are_reachable_from_this_machine_only() -> None:
    config = Config(data="somewhere")
    config.validate()
    assert config.address() == ("127.0.0.1", 50051)


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("localhost:0", ("localhost", 0)),
        ("127.9.9.9:65535", ("127.9.9.9", 65_535)),
        ("[::1]:50051", ("::1", 50_051)),
    ],
)
def test_a_loopback_address_needs_no_leave(listen: str, address: tuple[str, int]) -> None:
    config = Config(data=MEMORY, listen=listen)
    config.validate()
    assert config.address() == address


@pytest.mark.parametrize("listen", ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "example.org:1"])
def test_an_address_that_others_reach_must_be_meant(listen: str) -> None:
    with pytest.raises(ConfigError, match="--insecure") as refused:
        Config(data=MEMORY, listen=listen).validate()
    assert refused.value.option == "listen"
    Config(data=MEMORY, listen=listen, insecure=True).validate()


@pytest.mark.parametrize(
    "listen",
    [
        "",
        ":",
        "127.0.0.1",
        "127.0.0.1:",
        ":50051",
        "127.0.0.1:x",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:٣",
    ],
)
def test_what_is_no_host_and_port_is_refused(listen: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Config(data=MEMORY, listen=listen, insecure=True).validate()
    assert refused.value.option == "listen"


def test_no_place_for_the_data_and_a_negative_grace_are_refused() -> None:
    with pytest.raises(ConfigError) as refused:
        Config(data="").validate()
    assert refused.value.option == "data"
    with pytest.raises(ConfigError) as refused:
        Config(data=MEMORY, drain_grace_s=-0.1).validate()
    assert refused.value.option == "drain_grace_s"


async def test_a_port_in_use_is_refused_and_the_first_server_stays() -> None:
    async with Server(Config(data=MEMORY, listen="127.0.0.1:0"), catalog=Catalog.of()) as first:
        second = Server(Config(data=MEMORY, listen=first.address), catalog=Catalog.of())
        with pytest.raises(ConfigError, match="cannot be bound") as refused:
            await second.start()
        assert refused.value.option == "listen"
        await second.stop()
        assert first.engine.head == 0


async def test_port_zero_takes_a_free_one_and_says_which() -> None:
    config = Config(data=MEMORY, listen="127.0.0.1:0")
    async with Server(config, catalog=Catalog.of()) as one, Server(config) as other:
        ports = [int(server.address.rpartition(":")[2]) for server in (one, other)]
    assert 0 not in ports
    assert len(set(ports)) == 2
