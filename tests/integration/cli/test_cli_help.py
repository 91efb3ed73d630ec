"""Help, completion, and what the server says of itself."""

import json
import os
import subprocess

from tests.integration.cli.command import GESTA, TIMEOUT_S, Gesta, environment

from gesta.server.cli.exit_codes import MEANINGS


def test_gesta_alone_shows_its_commands_and_every_exit_code(bank: Gesta) -> None:
    shown = bank()
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout == bank("--help").stdout
    lines = [line.strip() for line in shown.stdout.splitlines()]
    assert [code for code, text in MEANINGS.items() if f"{code.value}  {text}" not in lines] == []


def test_the_shell_completes_commands() -> None:
    completion = subprocess.run(
        ["bash", "-c", '"$@" && true', "bash", *GESTA, "--show-completion"],  # asked in a bash
        env=environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert "complete -o default -F _gesta_completion gesta" in completion.stdout
    completed = subprocess.run(
        GESTA,
        env=environment(_GESTA_COMPLETE="complete_bash", COMP_WORDS="gesta e", COMP_CWORD="1"),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert completed.stdout.split() == ["execute", "events"]


def test_types_and_info_describe_the_server(bank: Gesta) -> None:
    text = bank("types").stdout
    assert "  command deposit(amount: integer, booked_on?: date | null)  Pays money in.\n" in text
    (hosted,) = json.loads(bank("types", "BankAccount", "--json").stdout)["aggregate_types"]
    assert "open" in [command["name"] for command in hosted["commands"]]
    assert json.loads(bank("info", "--json").stdout)["aggregate_types"] == ["BankAccount"]


def test_a_terminal_gets_colour_unless_it_asks_for_none(bank: Gesta) -> None:
    for more, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        shown = _on_a_terminal(bank, "info", **more)
        assert b"server_version" in shown
        assert coloured == (b"\x1b[" in shown)


def _on_a_terminal(bank: Gesta, *words: str, **more: str) -> bytes:
    """What a terminal would show, up to the end of the command."""
    ours, theirs = os.openpty()
    try:
        with subprocess.Popen([*GESTA, *words], env=bank.environment | more, stdout=theirs) as it:
            assert it.wait(TIMEOUT_S) == 0  # the answer is shorter than a terminal's buffer
        return os.read(ours, 65_536)
    finally:
        os.close(ours)
        os.close(theirs)
