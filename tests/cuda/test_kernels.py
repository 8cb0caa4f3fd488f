import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest


def test_triton_kernels_interpreted_equal_the_torch_form() -> None:
    if find_spec("triton") is None:
        pytest.skip("this build of torch comes without Triton")
    done = subprocess.run(
        [sys.executable, "-m", "tests.cuda.interpreted"],
        env={**os.environ, "TRITON_INTERPRET": "1"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
