"""Run sampling jobs in a process of their own, as the command does."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ingest.sampling import SampleConfig

ROOT = Path(__file__).resolve().parents[2]
_CODE = """
import io, json, sys
from contextlib import redirect_stderr
from pathlib import Path
from analysis.errors import StratigraphError
from ingest.sampling import SampleConfig, sample
for settings in json.loads(sys.argv[1]):
    code, paths, said = 0, [], io.StringIO()
    with redirect_stderr(said):
        try:
            config = SampleConfig(
                **{**settings, "out": Path(settings["out"]), "layers": tuple(settings["layers"])}
            )
            paths = sample(config, lambda plan: sys.stderr.write(plan.sentence() + "\\n"))
        except StratigraphError as error:
            code = error.exit_code
            sys.stderr.write(f"stratigraph: {error}\\n")
    print(json.dumps({"code": code, "paths": list(map(str, paths)), "said": said.getvalue()}), flush=True)
"""


@dataclass(frozen=True)
class Outcome:
    """Exit code, directories, and what a job wrote to stderr."""

    code: int
    paths: list[str]
    said: str


def start(configs: list[SampleConfig], **environment: str) -> "subprocess.Popen[str]":
    """Start jobs, one after another in one process."""
    settings = [{**vars(config), "out": str(config.out)} for config in configs]
    return subprocess.Popen(
        [sys.executable, "-c", _CODE, json.dumps(settings)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(configs: list[SampleConfig], **environment: str) -> list[Outcome]:
    """Run jobs to their end; whatever reaches stderr past them is a failure."""
    out, err = start(configs, **environment).communicate(timeout=300)
    assert not err, err
    return [Outcome(**json.loads(line)) for line in out.splitlines()]
