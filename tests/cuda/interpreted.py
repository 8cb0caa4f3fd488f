"""Run the Triton kernels in Triton's interpreter and hold them against the torch form.

A program of its own because Triton reads ``TRITON_INTERPRET`` when it is imported; see test_kernels.py.
"""

import numpy as np
import torch

from analysis.cuda.nodewise import nodewise_on
from analysis.cuda.screen import screen_on
from analysis.cuda.workspace import Workspace
from analysis.nodewise import PathSettings
from tests.cuda.activity import SHAPES, columns_from, entries_from


def main() -> None:
    """Compare on shapes that leave tiles partly filled, some blocks and batches each."""
    device = torch.device("cpu")
    for shape, memory in {"a group and one": 1 << 19, "awkward": 1 << 18}.items():
        entries = entries_from(columns_from(SHAPES[shape]()[:300]), device)
        path = PathSettings(steps=3)
        torch_form, triton_form = (Workspace(device, memory, triton) for triton in (False, True))
        assert torch_form.rows(entries.n_features, 3) < entries.n_features, shape
        candidates = screen_on(entries, torch_form, 0.05, 3)
        twin = screen_on(entries, triton_form, 0.05, 3)
        assert (candidates.feature >= 0).sum() > 20, shape
        assert candidates.feature.tobytes() == twin.feature.tobytes(), shape
        assert candidates.correlation.tobytes() == twin.correlation.tobytes(), shape
        assert candidates.passed == twin.passed, shape
        fits = nodewise_on(entries, candidates, path, torch_form)
        ours = nodewise_on(entries, candidates, path, triton_form)
        np.testing.assert_allclose(ours.coefficient, fits.coefficient, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(ours.sweeps, fits.sweeps)
        np.testing.assert_array_equal(ours.converged, fits.converged)


if __name__ == "__main__":
    main()
