"""The contract's reasons, the server's table and the client's mirror are one list.

tests/unit/server/test_status.py holds the table against the engine's errors. That everything in
the contract has a comment is for `buf lint`, in `make check`.
"""

import re
from pathlib import Path

from gesta.client.status import ERROR_OF_REASON
from gesta.server.status import TABLE
from gesta.v1.errors_pb2 import ErrorReason

CONTRACT = Path(__file__).parents[2] / "proto/gesta/v1/errors.proto"
PREFIX = "ERROR_REASON_"
REASONS = {value.name.removeprefix(PREFIX) for value in ErrorReason.DESCRIPTOR.values}


def test_the_server_the_client_and_the_contract_have_the_same_reasons() -> None:
    assert REASONS - {"UNSPECIFIED"} == {reason for _, reason in TABLE.values()}
    assert REASONS - {"UNSPECIFIED"} == set(ERROR_OF_REASON)


def test_the_contract_names_the_code_that_the_server_sends() -> None:
    promised = {
        reason: re.split("[.,]", comment.removeprefix("  // "))[0]
        for comment, reason in re.findall(
            rf"((?:  //.*\n)+)  {PREFIX}(\w+) = [1-9]", CONTRACT.read_text("utf-8")
        )
    }
    assert promised == {reason: code.name for code, reason in TABLE.values()}
