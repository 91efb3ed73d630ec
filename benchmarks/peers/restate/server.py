"""Restate's server with the service that it calls. Both come from npm, into a folder of ours."""

import asyncio
import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.processes import ROOT, Running, Unavailable, free_port, serving

SOURCES = Path(__file__).parent
INSTALLED = ROOT / "build" / "restate"
INSTALL_S = 300
REGISTER_S = 30


@asynccontextmanager
async def server(data: Path) -> AsyncIterator[Running]:
    """Its ingress; the process is the server's. Raises Unavailable."""
    node, program = install()
    ingress, admin, own, service = (f"127.0.0.1:{free_port()}" for _ in range(4))
    environment = {
        "RESTATE_BASE_DIR": str(data),
        "RESTATE_NODE_NAME": "benchmark",
        "RESTATE_CLUSTER_NAME": "benchmark",
        "RESTATE_INGRESS__BIND_ADDRESS": ingress,
        "RESTATE_ADMIN__BIND_ADDRESS": admin,
        "RESTATE_BIND_ADDRESS": own,
        "RESTATE_ADVERTISED_ADDRESS": f"http://{own}",
        "RESTATE_DISABLE_TELEMETRY": "true",
        "RESTATE_LOG_FILTER": "error",
        "DO_NOT_TRACK": "1",
    }
    port = {"SERVICE_PORT": service.rpartition(":")[2]}
    async with (
        serving((node, str(INSTALLED / "service.mjs")), service, port),
        serving((str(program),), admin, environment) as running,
    ):
        await asyncio.to_thread(_register, admin, service)
        yield Running(ingress, running.pid)


def install() -> tuple[str, Path]:
    """Node and the server's program. Raises Unavailable where there is no Node, npm or registry."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise Unavailable("there is no Node.js with npm")
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "service.mjs"):
        shutil.copy(SOURCES / name, INSTALLED)
    programs = "node_modules/@restatedev/restate-server-*/bin/restate-server"
    if not list(INSTALLED.glob(programs)):
        words = [npm, "install", "--no-fund", "--no-audit", "--ignore-scripts", "--silent"]
        try:
            subprocess.run(words, cwd=INSTALLED, timeout=INSTALL_S, check=True, capture_output=True)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as failed:
            raise Unavailable(f"npm could not install it: {failed}") from None
    found = list(INSTALLED.glob(programs))
    if not found:
        raise Unavailable("npm has no server for this machine")
    return node, found[0]


def _register(admin: str, service: str) -> None:
    """Tells the server where the service is, and waits until it says that it knows."""
    body = json.dumps({"uri": f"http://{service}"}).encode()
    request = urllib.request.Request(
        f"http://{admin}/deployments", body, {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=REGISTER_S):  # noqa: S310
        pass
