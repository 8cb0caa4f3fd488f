"""Nodewise regression on a device: ``analysis.nodewise`` for batches of nodes that fit the workspace.

Cross-validation is left to the CPU's kernels: it needs the sums of every fold, which are as much work each as
the whole, and nothing else does.
"""

import numpy as np
import torch

from analysis.cuda.entries import Entries
from analysis.cuda.gram import grams_of
from analysis.cuda.lasso import kkt_residuals, problems_of, solve
from analysis.cuda.workspace import Workspace
from analysis.nodewise import Fits, PathSettings
from analysis.screen import Candidates


def nodewise_on(
    entries: Entries, candidates: Candidates, settings: PathSettings, workspace: Workspace
) -> Fits:
    """Regress every feature on its candidates.

    Parameters
    ----------
    entries
        One replicate on the device.
    candidates
        Candidates of all features, old numbers, on the host.
    settings
        The path and the choice, ``ebic`` or ``bic``.

    Returns
    -------
    As ``analysis.nodewise.nodewise``. A sweep counts as many steps as there is room for candidates.
    """
    n_features, k = candidates.feature.shape
    device = workspace.device
    fits = Fits(
        np.zeros((n_features, k)),
        np.zeros(n_features),
        np.zeros(n_features),
        np.zeros(n_features, np.int64),
        np.ones(n_features, np.bool_),
    )
    nodes = np.flatnonzero(candidates.feature[:, 0] >= 0)
    new_number = torch.full((n_features + 1,), -1, dtype=torch.int32, device=device)
    new_number[torch.from_numpy(entries.name).to(device)] = torch.arange(
        entries.n_features, dtype=torch.int32, device=device
    )
    log_others = float(np.log(max(n_features - 1, 1)))
    for first in range(0, len(nodes), workspace.nodes(k)):
        batch = nodes[first : first + workspace.nodes(k)]
        candidate = torch.from_numpy(candidates.feature[batch]).to(device)
        # -1 reads the last place, which holds -1.
        moments = grams_of(
            entries,
            new_number[torch.from_numpy(batch).to(device)].long(),
            new_number[candidate.long()],
            workspace,
        )
        problems = problems_of(*moments, entries.n_tokens, log_others, settings)
        solutions = solve(problems, workspace)
        fits.coefficient[batch] = solutions.beta.cpu().numpy()
        fits.penalty[batch] = solutions.penalty.cpu().numpy()
        fits.kkt_residual[batch] = kkt_residuals(problems, solutions).cpu().numpy()
        fits.sweeps[batch] = -(-solutions.steps.cpu().numpy() // k)
        fits.converged[batch] = solutions.converged.cpu().numpy()
    return fits
