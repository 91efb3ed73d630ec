"""strace's table, read."""

from benchmarks.durability import Counted, syncs

TABLE = """\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 97.01    0.098113         400       245           fdatasync
  2.99    0.003024         126        24         1 fsync
------ ----------- ----------- --------- --------- ----------------
100.00    0.101137         375       269         1 total
"""


def test_the_calls_of_a_table_are_counted_by_name() -> None:
    assert syncs(TABLE) == {"fdatasync": 245, "fsync": 24}


def test_what_was_counted_is_said_beside_the_commits() -> None:
    assert Counted(syncs(TABLE)).said(245) == (
        "strace: 245 fdatasync and 24 fsync for 245 commits of one caller"
    )


def test_of_what_could_not_be_counted_nothing_is_said() -> None:
    assert Counted(syncs("")).said(245) == ""
