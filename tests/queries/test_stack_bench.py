"""What ``bench.store.stack`` asks about: features on lines of links from the first layer to the last."""

import itertools

from bench.store.stack import on_whole_lines
from bench.store.world import world


def test_lines_go_from_the_first_layer_to_the_last() -> None:
    made = world(4, 30, 40, 90)
    steps = [set(zip(frame["source"], frame["target"], strict=True)) for frame in made.links]
    layers = [sorted({name for pair in pairs for name in pair}) for pairs in steps]
    lines: list[tuple[str, ...]] = [(name,) for name in layers[0]]
    for pairs in steps:
        lines = [(*line, end) for line in lines for start, end in pairs if start == line[-1]]
    expected = [sorted(set(names)) for names in zip(*lines, strict=True)]
    assert on_whole_lines(made.links) == expected
    assert all(names for names in expected)
    for one, other in itertools.pairwise(expected):
        assert any((a, b) in pairs for a in one for b in other for pairs in steps)
