"""A second server on the same data: refused at once, and the first one does not notice."""

from pathlib import Path

from tests.history.history import History
from tests.history.recording import Recorder
from tests.integration.edge.process import running
from tests.integration.faults.load import followed, loaded, verify
from tests.integration.faults.server import refused

from gesta.client import connect

LOG_LOCKED = 75


async def test_it_ends_with_75_while_the_first_goes_on_under_load(tmp_path: Path) -> None:
    async with running(tmp_path) as first, connect(first.address) as client:
        recorder = Recorder(client, History())
        async with loaded(recorder) as load, followed(recorder, client) as following:
            await load.until(1)
            beside = tmp_path / "beside"
            beside.mkdir()
            (beside / "data").symlink_to(tmp_path / "data")
            code, said = await refused(beside)
            await load.until(load.acknowledged + 100)
            await load.end()
            log = await verify(recorder, following)
        assert code == LOG_LOCKED
        assert f"pid {first.pid} " in said
        assert load.errors == []
        assert len(log) == load.acknowledged


async def test_it_has_the_data_once_the_first_was_killed(tmp_path: Path) -> None:
    async with running(tmp_path) as first, connect(first.address) as client:
        recorder = Recorder(client, History())
        async with loaded(recorder) as load:
            await load.until(10)
            await load.end()
        await first.kill()
    async with running(tmp_path) as second, connect(second.address) as client:
        assert len(await verify(Recorder(client, recorder.history))) == load.acknowledged
