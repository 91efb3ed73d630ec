"""A PostgreSQL server of the tests' own, where its programs are installed."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

TIMEOUT_S = 120.0
PROGRAMS = ("initdb", "pg_ctl", "postgres")


class Unavailable(Exception):
    """There is no PostgreSQL here; the text says why."""


@contextmanager
def postgresql(under: Path | None = None, *, durable: bool = False) -> Iterator[str]:
    """Yields a URL of the server, without a database. Raises Unavailable. Its data is in a folder
    of its own, `under` this one; a commit waits for the disk only if it is to be durable."""
    programs = _programs()
    demote = _not_as_root()
    folder = Path(tempfile.mkdtemp(prefix="gesta-postgresql-", dir=under))
    try:
        if demote:
            shutil.chown(folder, *demote[1])
        data, port = folder / "data", _free_port()
        run = [*(demote[0] if demote else ())]
        _run(run, programs / "initdb", "-D", str(data), "-A", "trust", "-U", "gesta", "-N")
        settings = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
        settings += f" -c fsync={'on' if durable else 'off'} -c max_connections=300"
        _run(
            *(run, programs / "pg_ctl", "-D", str(data), "-w"),
            *("-l", str(folder / "log"), "-o", settings, "start"),
        )
        try:
            yield f"postgresql+asyncpg://gesta@127.0.0.1:{port}"
        finally:
            _run(run, programs / "pg_ctl", "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    found = shutil.which("postgres")
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    if found:
        places.append(Path(found).resolve().parent)
    for place in places:
        if all((place / program).exists() for program in PROGRAMS):
            return place
    raise Unavailable(f"no PostgreSQL here: {', '.join(PROGRAMS)} are not installed together")


def _not_as_root() -> tuple[Sequence[str], tuple[str, str]] | None:
    """PostgreSQL refuses to run as root: a prefix that makes another user of it, and which."""
    if os.geteuid() != 0:
        return None
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise Unavailable("PostgreSQL does not run as root, and there is no setpriv")
    import grp
    import pwd

    user = next((each for each in pwd.getpwall() if each.pw_name in ("postgres", "nobody")), None)
    if user is None:
        raise Unavailable("PostgreSQL does not run as root, and there is no other user")
    prefix = [setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return prefix, (user.pw_name, grp.getgrgid(user.pw_gid).gr_name)


def _run(prefix: Sequence[str], program: Path, *words: str) -> None:
    done = subprocess.run(
        [*prefix, str(program), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # a pipe would be inherited by the server, and never end
        stderr=subprocess.DEVNULL,
        cwd="/",
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise Unavailable(f"{program} ended with {done.returncode}")


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port
