"""Hierarchies as SAELens generates them: a feature can fire only where its parent does.

``sae_lens.synthetic`` draws every feature on its own and silences those whose parent is silent, level by
level. So a child fires with a probability of its own where its parent does, and never elsewhere: the forest
of ``bench.truth.forest`` at strength 1 with rates that fall from parent to child, whose ``off`` is 0. Of the
generators there it is the one whose dependences are known exactly, as long as siblings do not exclude each
other; its thresholds of a correlated Gaussian are not (a sparse correlation matrix is not a sparse graph of
what fires).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.activations import Float32
from bench.truth.family import structure_of
from bench.truth.forest import Forest, grow
from bench.truth.tree import Trees


@dataclass(frozen=True)
class Hierarchies(Trees):
    """Trees of features that need their parent.

    Parameters
    ----------
    root_rate
        Firing rate of the roots of trees.
    least_given, most_given
        Limits of the probability of a child where its parent fires, drawn uniformly.
    magnitude_deviation
        Standard deviation of a magnitude, whose mean is 1.
    """

    root_rate: float = 0.05
    least_given: float = 0.2
    most_given: float = 0.7
    magnitude_deviation: float = 0.2

    @cached_property
    def forest(self) -> Forest:
        """The trees."""
        rng = structure_of(self.seed)
        parent = grow(rng, self.features, int(self.features * self.in_trees) // self.size, self.size)
        rate = self.firing.rates(rng, self.features)
        given = rng.uniform(self.least_given, self.most_given, self.features)
        forest = Forest(parent, rate, np.ones(self.features))
        rate[np.unique(forest.tree[parent >= 0])] = self.root_rate
        for level in forest.levels[1:]:
            rate[level] = rate[parent[level]] * given[level]
        return Forest(parent, rate, np.ones(self.features))

    def _values(self, rng: np.random.Generator, tokens: int) -> Float32:
        # They take seconds to import, and no other family needs them.
        import torch  # noqa: PLC0415

        generator = self._generator
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**63)))
            return np.asarray(generator.sample(tokens).numpy(), np.float32)

    @cached_property
    def _generator(self):  # type: ignore[no-untyped-def]  # noqa: ANN202  sae_lens is untyped here
        """The generator of SAELens with these trees."""
        import torch  # noqa: PLC0415
        from sae_lens.synthetic import ActivationGenerator, HierarchyNode, hierarchy_modifier  # noqa: PLC0415

        forest = self.forest
        above = np.where(forest.parent >= 0, forest.parent, 0)
        alone = np.where(forest.parent >= 0, forest.rate / forest.rate[above], forest.rate)
        node = [HierarchyNode(feature_index=i) for i in range(self.features)]
        for level in forest.levels[:0:-1]:
            for child in level:
                up = node[int(forest.parent[child])]
                up.children = [*up.children, node[int(child)]]
        roots = [node[int(i)] for i in forest.levels[0] if node[int(i)].children]
        return ActivationGenerator(
            num_features=self.features,
            firing_probabilities=torch.from_numpy(alone.astype(np.float32)),
            std_firing_magnitudes=self.magnitude_deviation,
            modify_activations=hierarchy_modifier(roots),
        )
