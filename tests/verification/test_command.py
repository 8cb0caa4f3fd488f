"""``stratigraph verify``, from a database with links to what is said and what is stored."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import stratigraph
from graphdb.store import Store, connect
from ingest.sampling.untyped import Json
from queries.ask import query
from tests.graphdb.stores import content, empty
from tests.verification.small import Read, carried, load_sites, plant

OPTIONS = ["--model", "organism", "--sae", "organism", "--corpus", "organism", "--tokens", "4000"]


@pytest.fixture
def linked(store: Store, small: Read) -> Store:
    """A database with links of two layers of the small model."""
    load_sites(store)
    plant(store, carried(small, 12), "carried00000")
    return store


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert stratigraph.main(["verify", *OPTIONS, *arguments]) == 0
    return capsys.readouterr().out


def effects(store: Store, run: str) -> list[float]:
    rows = store.read(
        "MATCH (:Feature)-[l:CARRIES|DRIVES {run: $run}]->(:Feature) WHERE l.ablation_effect IS NOT NULL "
        "RETURN l.ablation_effect AS effect ORDER BY effect",
        {"run": run},
    )
    return [row["effect"] for row in rows]


def verified(store: Store, run: str) -> Json:
    (row,) = store.read("MATCH (r:Run {id: $run}) RETURN r.verified AS verified", {"run": run})
    return json.loads(row["verified"])


def test_what_is_carried_is_hit_and_controls_are_not(
    linked: Store, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = said(capsys, "--db", address)
    assert max(map(len, out.splitlines())) <= 80
    assert "Hit: a pair is a hit if taking its earlier feature out" in " ".join(out.split())
    found = effects(linked, "carried00000")
    assert len(found) == 12
    assert sum(effect < 0 for effect in found) >= 11
    told = verified(linked, "carried00000")
    *_, links, controls, others = told["rows"]
    assert [(row["kind"], row["pairs"]) for row in (links, controls, others)] == [
        ("all", "links"),
        ("all", "controls"),
        ("all", "any_cosine"),
    ]
    assert links["hit_rate"] >= 0.9
    assert others["hit_rate"] <= 0.5
    assert links["low"] < links["hit_rate"] <= links["high"]
    assert others["links_above"] >= 0.9
    assert controls["median_cosine"] > others["median_cosine"]
    assert told["seed"] == 0


def test_given_again_it_replaces_what_it_wrote_and_nothing_else(
    linked: Store, address: str, small: Read, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(linked, [(1, 2, "DRIVES", 0.5)], "other0000000")
    linked.write("MATCH ()-[l:DRIVES]->() SET l.ablation_effect = -7.0")
    before = content(linked)
    arguments = ("--db", address, "--run", "carried", "--format", "json", "--links", "5")
    first = json.loads(said(capsys, *arguments))
    assert [list(row) for row in first] == [list(first[0])] * 9
    assert first[-3]["tested"] == len(effects(linked, "carried00000")) == 5
    assert first == verified(linked, "carried00000")["rows"]
    once = effects(linked, "carried00000")
    assert json.loads(said(capsys, *arguments)) == first
    assert effects(linked, "carried00000") == once
    json.loads(said(capsys, *arguments, "--seed", "5"))
    assert len(effects(linked, "carried00000")) == 5
    assert effects(linked, "carried00000") != once
    # everything else is as it was
    linked.write(
        "MATCH (:Feature)-[l:CARRIES]->(:Feature) WHERE l.run = 'carried00000' REMOVE l.ablation_effect"
    )
    linked.write("MATCH (r:Run {id: 'carried00000'}) REMOVE r.verified")
    assert content(linked) == before


def rounded(rows: list[Json]) -> list[Json]:
    """Rows without the last digits, which hang on what else is in a batch."""
    return [
        {name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()}
        for row in rows
    ]


def test_a_link_that_is_named_is_tested_and_counted_apart(
    linked: Store, address: str, small: Read, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--db", address, "--format", "json", "--links", "3")
    alone = json.loads(said(capsys, *arguments))
    drawn = effects(linked, "carried00000")
    lower, upper = (f"organism/blocks.{layer}.hook_resid_post" for layer in (1, 2))
    words = [w for i, j, *_ in carried(small, 12) for w in ("--link", f"{lower}/{i}", f"{upper}/{j}")]
    every = json.loads(said(capsys, *arguments, *words))
    of_drawn = [row for row in every if row["kind"] != "named"]
    assert rounded(of_drawn) == rounded(alone), "what is drawn is not changed by it"
    (named,) = (row for row in every if (row["kind"], row["pairs"]) == ("named", "links"))
    assert named["tested"] == 9
    assert {round(effect, 4) for effect in drawn} < {
        round(effect, 4) for effect in effects(linked, "carried00000")
    }
    assert len(effects(linked, "carried00000")) == 12
    assert len(verified(linked, "carried00000")["named"]) == 12
    assert "named" in said(capsys, "--db", address, "--links", "3", *words[:6])


def test_the_catalogue_shows_the_effect(
    linked: Store, address: str, small: Read, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "--db", address, "--links", "500")
    source, target, *_ = carried(small, 1)[0]
    (row,) = (
        row
        for row in query(linked, "links", {"feature": f"organism/blocks.1.hook_resid_post/{source}"})
        if row["id"].endswith(f"/{target}")
    )
    assert row["ablation_effect"] in effects(linked, "carried00000")


def refused(capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> str:
    assert stratigraph.main(["verify", *OPTIONS, *arguments]) == code
    out, err = capsys.readouterr()
    sentence = err.strip().splitlines()[-1]
    assert out == ""
    assert sentence.startswith("stratigraph: ")
    return sentence


@pytest.fixture
def quick(servers: Callable[[str], str], small: Read) -> Iterator[str]:
    """Where one database with links is; every refusal leaves all in it as it was."""
    address = servers("arcadedb")
    with connect(address, write=True) as store:
        empty(store)
        load_sites(store)
        plant(store, carried(small, 5), "carried00000")
        plant(store, carried(small, 5), "unfinished00", complete=False)
        plant(store, [], "without00000")
        plant(store, [(500, 500, "DRIVES", 0.5)], "never0000000")
        before = content(store)
        yield address
        assert content(store) == before
        empty(store)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--run", "layer0000001"], "run layer0000001 is of kind layer, expected one of kind links"),
        (["--run", "unfinished"], "run unfinished00 is incomplete"),
        (["--run", "without"], "run without00000 found no links"),
        (["--run", "ffff"], "no run in .* begins with 'ffff'"),
        (
            ["--link", "organism/blocks.1.hook_resid_post/900", "x"],
            "has no link from .*/900 to x; it has links",
        ),
        (["--links", "0"], "--links is 0; expected 1 or more"),
        (["--tokens", "-3"], "--tokens is -3; expected 1 or more"),
        (["--corpus", "nowhere.txt"], "--corpus 'nowhere.txt': no such file"),
    ],
)
def test_requests_are_refused(
    quick: str, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    import re

    assert re.search(says, refused(capsys, 2, "--db", quick, *arguments))


def test_links_that_do_not_fire_are_refused(quick: str, capsys: pytest.CaptureFixture[str]) -> None:
    says = refused(capsys, 2, "--db", quick, "--run", "never", "--tokens", "300")
    assert "none has 5 rows of text at which both ends fire among 300 tokens" in says
    assert "raise --tokens" in says


def test_a_corpus_that_is_too_small_is_refused(
    quick: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from ingest.organism import document

    (tmp_path / "little.txt").write_text("\n".join(document(0, k).text for k in range(20)))
    says = refused(capsys, 2, "--db", quick, "--run", "carried", "--corpus", str(tmp_path / "little.txt"))
    assert "tokens of text, and --tokens asks for 4,000; use a larger corpus, or --tokens " in says


def test_saes_of_other_sites_are_refused(
    quick: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    from ingest.organism import MODEL_DIRECTORY, SAE_DIRECTORY
    from tests.sampling.tiny import make_model

    shutil.copytree(SAE_DIRECTORY, tmp_path / "saes")
    says = refused(capsys, 2, "--db", quick, "--run", "carried", "--sae", str(tmp_path / "saes"))
    assert "has links of organism/blocks.1.hook_resid_post, and --model organism with --sae" in says
    assert "is organism/saes-blocks.1.hook_resid_post; give the model and the SAE" in says
    shutil.copytree(MODEL_DIRECTORY, tmp_path / "other")
    says = refused(capsys, 2, "--db", quick, "--run", "carried", "--model", str(tmp_path / "other"))
    assert "is other/blocks.1.hook_resid_post" in says
    narrow = make_model(tmp_path / "organism")
    says = refused(capsys, 2, "--db", quick, "--run", "carried", "--model", str(narrow))
    assert "reads 128 numbers per token and blocks.1.hook_resid_post of this model has 16" in says


def test_a_site_of_another_width_is_refused(quick: str, capsys: pytest.CaptureFixture[str]) -> None:
    with connect(quick, write=True) as store:
        store.write("MATCH (s:Site {layer: 2}) SET s.features = 4")
    says = refused(capsys, 2, "--db", quick, "--run", "carried")
    assert "has 4 features at blocks.2.hook_resid_post in the database" in says
    with connect(quick, write=True) as store:
        store.write("MATCH (s:Site {layer: 2}) SET s.features = 768")


def test_a_database_without_links_is_refused(
    servers: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    address = servers("arcadedb")
    with connect(address, write=True) as store:
        empty(store)
    says = refused(capsys, 2, "--db", address)
    assert "holds no complete run of links; make one: stratigraph link LOWER_SAMPLES UPPER_SAMPLES" in says


def test_help_says_what_a_hit_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        stratigraph.main(["verify", "--help"])
    out = capsys.readouterr().out
    assert "stratigraph verify --model organism" in out
    assert "beyond chance (t-test over rows, one-sided, p <= 0.05)" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80
