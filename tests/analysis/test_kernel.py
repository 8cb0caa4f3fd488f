import os
import subprocess
import sys
from pathlib import Path

from analysis.kernel import cache_folder


def test_any_change_of_any_source_moves_the_cache(tmp_path: Path) -> None:
    sources, caches = tmp_path / "sources", tmp_path / "caches"
    (sources / "deep").mkdir(parents=True)
    (sources / "one.py").write_text("x = 1")
    (sources / "deep" / "two.py").write_text("y = 1")
    first = cache_folder(sources, caches)
    assert first.is_dir()
    (sources / "note.txt").write_text("not a source")
    assert cache_folder(sources, caches) == first
    (sources / "deep" / "two.py").write_text("y = 2")
    second = cache_folder(sources, caches)
    (sources / "deep" / "two.py").rename(sources / "deep" / "three.py")
    assert len({first, second, cache_folder(sources, caches)}) == 3


def test_caches_long_unused_go(tmp_path: Path) -> None:
    source, caches = tmp_path / "sources" / "one.py", tmp_path / "caches"
    source.parent.mkdir()
    made = []
    for number in range(12):
        source.write_text(f"x = {number}")
        made.append(cache_folder(source.parent, caches))
        os.utime(made[-1], (number, number))
    source.write_text("x = 3")
    cache_folder(source.parent, caches)
    assert made[11].exists()
    assert not made[4].exists()


def test_a_user_s_own_cache_is_left_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import analysis.kernel, numba; print(numba.config.CACHE_DIR)"]
    environment = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}

    def folder(**more: str) -> str:
        found = subprocess.run(
            command, env={**environment, **more}, check=True, capture_output=True, text=True
        )
        return found.stdout.strip()

    assert folder(NUMBA_CACHE_DIR=str(tmp_path / "mine")) == str(tmp_path / "mine")
    assert Path(folder(XDG_CACHE_HOME=str(tmp_path))).parent == tmp_path / "stratigraph" / "kernels"
    (tmp_path / "file").write_text("")
    assert folder(XDG_CACHE_HOME=str(tmp_path / "file")) == "", "numba's own choice"
