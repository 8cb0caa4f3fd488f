"""Which pairs are tested, and where."""

import numpy as np
import polars as pl

from analysis.hit_rule import LEAST
from ingest.verification.trials import Pairing, draw_links, trials_of
from tests.verification.small import Link, Read, carried, cosines, read_rows


def frame(links: list[Link]) -> pl.DataFrame:
    return pl.DataFrame(links, schema=["source", "target", "kind", "weight"], orient="row")


def chosen(small: Read, drawn: pl.DataFrame, links: pl.DataFrame, seed: int) -> list[Pairing]:
    cosine = cosines(small.reader)[:, drawn["target"].to_numpy()]
    return trials_of(small.firing, drawn, links, cosine, 32, seed)


def test_both_ends_fire_at_every_token_and_each_is_of_another_row(small: Read) -> None:
    links = frame(carried(small))
    for one in chosen(small, links, links, 0):
        for trial in one.trials:
            assert trial is not None
            assert (small.firing.lower.at(trial.source, trial.tokens) > 0).all()
            there = small.firing.upper.at(trial.target, trial.tokens)
            assert (there > 0).all()
            assert trial.level == float(there.mean())
            rows = small.firing.row[trial.tokens]
            assert LEAST <= len(rows) <= 32
            assert len(set(rows.tolist())) == len(rows)


def test_no_control_is_a_link_and_none_is_there_twice(small: Read) -> None:
    links = frame(carried(small))
    pairs = set(links.select("source", "target").iter_rows())
    found = chosen(small, links[:25], links, 0)
    controls = [(t.source, t.target) for one in found for t in one.trials[1:] if t is not None]
    assert len(controls) == 50
    assert not pairs & set(controls)
    assert len(set(controls)) == 50


def test_controls_fire_about_as_often(small: Read) -> None:
    links, rate = frame(carried(small)), small.firing.lower.rate
    ratios = [
        rate[other.source] / rate[one.trials[0].source]
        for one in chosen(small, links, links, 0)
        for other in one.trials[1:]
        if one.trials[0] is not None and other is not None
    ]
    assert 2 / 3 <= np.median(ratios) <= 3 / 2


def test_the_cosine_of_the_first_control_is_nearer_to_the_links(small: Read) -> None:
    links = frame(carried(small))
    cosines = np.array([[t.cosine for t in one.trials if t] for one in chosen(small, links, links, 0)])
    apart = np.abs(cosines[:, 1:] - cosines[:, :1])
    assert (apart[:, 0] <= apart[:, 1]).mean() > 0.9
    assert np.median(cosines, axis=0)[0] > np.median(cosines, axis=0)[1] > np.median(cosines, axis=0)[2]


def test_the_tokens_of_a_pair_hang_on_the_seed_and_the_pair_alone(small: Read) -> None:
    links = frame(carried(small))
    (alone,), among = chosen(small, links[3:4], links, 0), chosen(small, links, links, 0)[3]
    assert alone.trials[0] is not None
    assert among.trials[0] is not None
    assert np.array_equal(alone.trials[0].tokens, among.trials[0].tokens)
    (other,) = chosen(small, links[3:4], links, 1)
    assert other.trials[0] is not None
    assert not np.array_equal(alone.trials[0].tokens, other.trials[0].tokens)


def test_what_is_kept_down_is_read_where_it_is_nearest_to_firing() -> None:
    near = [3, 200]
    found = read_rows(1, 2, 3000, near=near)
    source = int(found.firing.lower.rate.argmax())
    links = frame([(source, target, "DRIVES", -0.5) for target in near])
    for one, target in zip(trials_of(found.firing, links, links, None, 32, 0), near, strict=True):
        link, *controls = one.trials
        assert link is not None
        assert (found.firing.lower.at(source, link.tokens) > 0).all()
        nearness = found.firing.nearness[target]
        fires = found.firing.lower.column(source)[0]
        best: dict[int, float] = {}
        for token in fires:
            row = int(found.firing.row[token])
            best[row] = max(best.get(row, -np.inf), float(nearness[token]))
        assert sorted(nearness[link.tokens].tolist()) == sorted(sorted(best.values())[-32:])
        assert link.foretold == 1
        assert link.level == found.firing.upper.column(target)[1].mean()
        assert None not in controls


def test_nearness_orders_the_tokens_at_which_a_feature_fires_as_its_activation_does() -> None:
    found = read_rows(1, 2, 3000, near=[5, 9])
    for target in (5, 9):
        tokens, value = found.firing.upper.column(target)
        assert np.corrcoef(found.firing.nearness[target][tokens], value)[0, 1] > 0.999


def test_a_pair_that_never_fires_together_is_not_tested(small: Read) -> None:
    dead = int(np.flatnonzero(small.firing.lower.rate == 0)[0])
    links = frame([(dead, int(small.firing.upper.rate.argmax()), "CARRIES", 1.0)])
    (one,) = chosen(small, links, links, 0)
    assert one.trials == (None, None, None)


def test_links_are_drawn_as_many_of_each_kind_as_there_are() -> None:
    links = frame(
        [(i, i, "CARRIES", 1.0) for i in range(100)] + [(i, i + 200, "DRIVES", 1.0) for i in range(10)]
    )
    drawn = draw_links(links, 40, 0)
    assert drawn["kind"].value_counts(sort=True).rows() == [("CARRIES", 30), ("DRIVES", 10)]
    assert draw_links(links, 10, 0)["kind"].value_counts()["count"].to_list() == [5, 5]
    assert draw_links(links, 500, 0).equals(links)
    assert drawn.equals(draw_links(links, 40, 0))
    assert not drawn.equals(draw_links(links, 40, 1))
