"""The installation and the machine: libraries, kernels, processors, memory, GPU, disk, databases."""

import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

from analysis.errors import StratigraphError
from graphdb.directory import open_directory
from graphdb.server import running
from graphdb.store import connect
from ingest.doctor.finding import Finding

_LIBRARIES = (
    "numpy",
    "scipy",
    "numba",
    "polars",
    "safetensors",
    "torch",
    "transformers",
    "transformer-lens",
    "sae-lens",
    "datasets",
    "neo4j",
    "arcadedb-embedded",
)
GB = 1e9


def examine() -> list[Finding]:
    """Look at everything; a finding each."""
    return [
        Finding("stratigraph", _version("stratigraph") or "not installed, run from its folder"),
        Finding("python", platform.python_version(), platform.python_version()),
        *map(_library, _LIBRARIES),
        _kernels(),
        _threads(),
        _memory(),
        _gpu(),
        _disk(),
        _database(),
        *_neo4j(),
    ]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _library(name: str) -> Finding:
    found = _version(name)
    return Finding(
        name, found or "missing; install it with make, or pip install -e .", found, found is not None
    )


def _kernels() -> Finding:
    """Compile and run a kernel, as every inference does first."""
    try:
        import numpy as np  # noqa: PLC0415  may be what is missing

        from analysis.activations import Activations  # noqa: PLC0415
        from analysis.columns import columns_of  # noqa: PLC0415

        one = Activations(np.array([0, 1]), np.zeros(1, np.int32), np.ones(1, np.float32), 1)
        columns_of(one)
    except Exception as error:
        return Finding("kernels", f"do not run: {error}", None, fine=False)
    return Finding("kernels", "compiled and run", "run")


def _threads() -> Finding:
    import numba  # noqa: PLC0415  heavy

    count = int(numba.config.NUMBA_NUM_THREADS)
    return Finding("threads", f"{count} for the kernels, of {os.cpu_count()} processors", count)


def available_memory() -> float | None:
    """Bytes that a job could use now; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(1024.0 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return None
    try:
        # A container may have less than its machine.
        limit, used = (
            float(Path(f"/sys/fs/cgroup/memory.{name}").read_text()) for name in ("max", "current")
        )
    except (OSError, ValueError):
        return free
    return min(free, limit - used)


def _memory() -> Finding:
    free = available_memory()
    return Finding("memory", "not known" if free is None else f"{free / GB:.1f} GB available", free)


def _gpu() -> Finding:
    try:
        import torch  # noqa: PLC0415  heavy
    except (ImportError, OSError) as error:
        return Finding("gpu", f"torch cannot be imported: {error}", None, fine=False)
    if torch.version.cuda is None:
        return Finding("gpu", f"none: torch {torch.__version__} is built without CUDA")
    if not Path("/proc/driver/nvidia/version").exists():
        return Finding("gpu", "none: no NVIDIA driver is loaded")
    if not torch.cuda.is_available():
        return Finding("gpu", f"none: torch {torch.__version__} finds no device that its CUDA can use")
    name = torch.cuda.get_device_name(0)
    size = torch.cuda.get_device_properties(0).total_memory
    return Finding("gpu", f"{name}, {size / GB:.0f} GB, usable through CUDA {torch.version.cuda}", name)


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free
    return Finding("disk", f"{free / GB:.1f} GB free here", free)


def _database() -> Finding:
    where = os.environ.get("STRATIGRAPH_DB") or "graph.db"
    if "://" in where:
        return _server("database", where)
    if not Path(where).exists():
        return Finding("database", f"{where} is not there yet; load and ingest make it", "absent")
    try:
        server = running(open_directory(where))
    except (StratigraphError, OSError) as error:
        return Finding("database", str(error), "unusable")
    if server is None:
        return Finding("database", f"{where} is there, no server is running", "stopped")
    return Finding("database", f"{where} is there, its server answers at {server.url}", "running")


def _neo4j() -> list[Finding]:
    where = os.environ.get("NEO4J_URI")
    return [_server("NEO4J_URI", where)] if where else []


def _server(name: str, where: str) -> Finding:
    """Ask a server that runs somewhere; its address is written without what may be secret in it."""
    parts = urlsplit(where)
    address = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
    try:
        with connect(where) as store:
            store.read("RETURN 1 AS one", timeout=5.0)
    except StratigraphError as error:
        return Finding(name, f"{address}: {error}", "unreachable")
    return Finding(name, f"{address} answers", "reachable")
