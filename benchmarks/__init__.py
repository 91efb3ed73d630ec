"""Benchmarks: gesta beside its peers, ratios of figures taken in turns in one run.

The run
    __main__.py   `make bench`: the rounds, then the table, results.json and RESULTS.md
    stages        what is measured in a round, and with what
    workloads     load clients of gesta
    peers         other people's servers, and load clients of theirs
    references    what the parts that everybody needs cost by themselves
    bench.py      where data goes and how much is measured
    processes.py  servers and load clients, each a process of its own
    client.py     what a load client's process runs
    budget.py     where the microseconds of one command go
Whether a figure counts
    durability.py how it is known that commits are on the disk
    bank.py       accounts under load, and what the checker says of it
    record.py     what callers were answered, in columns
What comes of it
    plan.py       the rows of the table: references and goals
    figures.py    what was measured, round by round
    rows.py       each workload beside its reference
    table.py      the rows on a terminal
    results.py    results.json
    page.py       RESULTS.md, from it
    plot.py       line charts as SVG
    machine.py    what it was measured on
"""
