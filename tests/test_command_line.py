import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest

import stratigraph
from tests.support.foreign_samples import write_samples

VERBS = [
    "demo",
    "sample",
    "infer",
    "load",
    "ingest",
    "verify",
    "drop",
    "doctor",
    "runs",
    "replicates",
    "feature",
    "neighbors",
    "query",
]


def run(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stratigraph", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_every_verb_shows_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        stratigraph.main([verb, "--help"])
    assert done.value.code == 0
    text = capsys.readouterr().out
    assert "example" in text
    assert f"stratigraph {verb}" in text


def test_building_the_command_line_imports_nothing_heavy() -> None:
    code = (
        "import sys, stratigraph\n"
        "try:\n    stratigraph.main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'numba', 'sklearn', 'sae_lens', 'transformer_lens', 'datasets'}&set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["infer", "nowhere", "--out", "g"], 2, "stratigraph: nowhere is not a samples directory"),
        (["infer", "s", "--out", "g", "--replicates", "9"], 2, "--replicates is 9"),
        (["infer", "s", "--out", "g", "--tune", "aic"], 2, "--tune is 'aic'"),
        (
            ["infer", "s", "--out", "g", "--tune", "cv"],
            2,
            "--tune is 'cv'; folds know nothing of the activity",
        ),
        (["infer", "s", "--out", "g", "--device", "cuda"], 2, "only published trials run on a GPU"),
        (["load", "s", "--db", "x.db"], 2, "is not a finished graph directory"),
        (["runs", "--db", "absent.db"], 2, "there is no database at absent.db"),
        (["unheard-of"], 2, "invalid choice: 'unheard-of'"),
        ([], 2, "the following arguments are required: COMMAND"),
    ],
)
def test_misuse_is_one_sentence_and_an_exit_code(
    tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    write_samples(tmp_path / "s", replicates=2, n=100)
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "x.db").exists()


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        stratigraph.main(["--version"])
    assert done.value.code == 0
    assert capsys.readouterr().out == f"stratigraph {version('stratigraph')}\n"


def test_an_ingest_that_fails_leaves_no_database(tmp_path: Path) -> None:
    (tmp_path / "strange.txt").write_text("zxqv blorp wertz " * 500)
    options = ["--model", "organism", "--sae", "organism", "--layer", 1, "--corpus", "strange.txt"]
    done = run("ingest", *map(str, options), cwd=tmp_path)
    assert done.returncode == 2
    assert "are text that the tokenizer knows" in done.stderr
    assert not (tmp_path / "graph.db").exists()
    nowhere = run("ingest", *map(str, options), "--db", "strange.txt/graph.db", cwd=tmp_path)
    assert nowhere.returncode == 2
    assert "--db strange.txt/graph.db cannot be made" in nowhere.stderr


def test_the_demo_names_its_own_option(tmp_path: Path) -> None:
    (tmp_path / "demo").touch()
    done = run("demo", cwd=tmp_path)
    assert done.returncode == 2
    assert "--work demo/samples cannot be used" in done.stderr


def test_a_failure_exits_with_1(tmp_path: Path) -> None:
    samples = write_samples(tmp_path / "s", replicates=2, n=100)
    (samples / "replicate-001.safetensors").write_bytes(b"short")
    done = run("infer", samples, "--out", tmp_path / "g")
    assert done.returncode == 1
    assert done.stderr.strip().endswith("sample it again")
    assert "replicate-001.safetensors: truncated" in done.stderr


def test_infer_prints_what_the_graph_holds(tmp_path: Path) -> None:
    samples = write_samples(tmp_path / "s", replicates=3)
    first = run("infer", samples, "--out", tmp_path / "g")
    assert first.returncode == 0, first.stderr
    assert "toy/3-res, calibrated procedure" in first.stdout
    assert "worst KKT residual" in first.stdout
    again = run("infer", samples, "--out", tmp_path / "g")
    assert again.returncode == 0
    assert "finished already" in again.stderr
    assert again.stdout == first.stdout
    (tmp_path / "g" / "edges.parquet").write_bytes(b"short")
    mended = run("infer", samples, "--out", tmp_path / "g")
    assert mended.returncode == 0
    assert "edges.parquet cannot be read" in mended.stderr
    assert "put together again from its trials" in mended.stderr
    assert mended.stdout == first.stdout


def test_a_folder_that_shadows_a_room_is_named(tmp_path: Path) -> None:
    (tmp_path / "analysis").mkdir()
    (tmp_path / "analysis" / "__init__.py").touch()
    done = run("--help", cwd=tmp_path)
    assert done.returncode == 1
    assert "'analysis' was found at" in done.stderr
    assert "rename that folder" in done.stderr


def test_a_terminated_command_takes_its_server_with_it(tmp_path: Path) -> None:
    graph = tmp_path / "g"
    infer_code = run("infer", write_samples(tmp_path / "s", replicates=2, n=300), "--out", graph)
    assert infer_code.returncode == 0, infer_code.stderr
    assert run("load", graph, cwd=tmp_path).returncode == 0
    slow = "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b RETURN max(a * b) AS m"
    command = [sys.executable, "-m", "stratigraph", "query", slow]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    pid_file = tmp_path / "graph.db" / "server.pid"
    while not pid_file.exists() and process.poll() is None:
        time.sleep(0.05)
    time.sleep(3)
    process.terminate()
    assert process.wait(60) == 143
    assert not pid_file.exists()
