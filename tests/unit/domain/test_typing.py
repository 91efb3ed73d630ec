"""What mypy --strict and pyright must refuse in an author's and a caller's code.

`tests/typing/bank.py` is what they must accept. Each snippet here follows that file's text and has
one mistake: a checker that overlooks it, or finds another, fails the test.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BANK = (ROOT / "tests" / "typing" / "bank.py").read_text(encoding="utf-8")

MISTAKES = {
    "misspelt_argument": "BankAccount.deposit(amnt=5)",
    "mistyped_argument": 'BankAccount.deposit("5")',
    "missing_argument": "BankAccount.deposit()",
    "context_given_by_a_caller": 'BankAccount.open(context, "Ann")',
    "wrong_reply": "reply: int = BankAccount.deposit(5).decode_reply(b'')",
    "wrong_answer": "text: str = answer(BankAccount.statement)",
    "query_without_its_arguments": "answer(BankAccount.page)",
    "command_as_query": "answer(BankAccount.deposit(5))",
    "assigned_state": "account.balance = 6",
    "assigned_event": 'AccountOpened("Ann").owner = "Bob"',
    "mistyped_state": 'BankAccount(balance="5")',
    "misspelt_event_field": "MoneyDeposited(amunt=5)",
    "context_left_out_on_an_instance": 'account.open("Ann")',
    "expected_reply_of_another_type": (
        "scenario.when(BankAccount.deposit(5)).then(MoneyDeposited(5), reply='5')"
    ),
    "upcaster_that_gives_no_list": 'upcast("Noise", from_version=2)(lambda old: 5)',
    "upcaster_without_its_version": 'upcast("Noise")(drop)',
    "upcast_without_a_payload": 'Upcast("MoneyDeposited")',
}
SOURCE = "context: Context\n" + "".join(f"{code}  # {name}\n" for name, code in MISTAKES.items())
FIRST_LINE = BANK.count("\n") + 2


PYRIGHT = {
    "include": ["."],
    "typeCheckingMode": "strict",
    "extraPaths": [str(ROOT / room) for room in ("proto", "server", "client")],
}


def lines_refused(command: list[str], file: Path) -> set[int]:
    run = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},
    )
    found = set()
    for line in run.stdout.splitlines():
        place, error, _ = line.partition("error:")
        if error and str(file.name) in place:
            found.add(int(place.split(f"{file.name}:", 1)[1].split(":", 1)[0]))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_every_mistake_is_refused_and_nothing_else_is(checker: str, tmp_path: Path) -> None:
    file = tmp_path / "mistakes.py"
    file.write_text(BANK + SOURCE, encoding="utf-8")
    expected = dict(zip(MISTAKES, range(FIRST_LINE, FIRST_LINE + len(MISTAKES)), strict=True))
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(PYRIGHT), encoding="utf-8")
    commands = {
        "mypy": ["mypy", "--strict", str(file)],
        "pyright": ["pyright", "--project", str(tmp_path), "--pythonpath", sys.executable],
    }
    refused = lines_refused(commands[checker], file)
    overlooked = [name for name, line in expected.items() if line not in refused]
    assert overlooked == []
    assert refused == set(expected.values())
