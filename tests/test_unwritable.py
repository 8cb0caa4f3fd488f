"""What is said of a file that cannot be written: room is asked for only where it is room that lacks."""

import errno
import os
from pathlib import Path

import pytest
from safetensors import SafetensorError

from analysis.errors import StratigraphError
from ingest import samples_writer
from ingest.inference import InferConfig, infer
from ingest.samples_writer import SamplesWriter
from tests.support.foreign_samples import write_samples


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "make room and repeat the command, what is finished is kept"),
        (errno.EDQUOT, "make room and repeat the command, what is finished is kept"),
        (errno.EROFS, "the disk is read-only; name a directory on another"),
        (errno.EACCES, "allow writing there, or name another directory"),
        (errno.EIO, "mend that and repeat the command, what is finished is kept"),
    ],
)
@pytest.mark.parametrize("worded", [False, True])
def test_samples_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, says: str, worded: bool
) -> None:
    text = os.strerror(number)

    def fail(*_: object) -> None:
        raise SafetensorError(f"I/O error: {text} (os error {number})") if worded else OSError(number, text)

    monkeypatch.setattr(samples_writer, "save_file", fail)
    with pytest.raises(StratigraphError) as refused:
        SamplesWriter(tmp_path).write_replicate(0, {})
    assert str(refused.value).endswith(says)


def test_a_graph_directory_below_a_file(tmp_path: Path) -> None:
    samples = write_samples(tmp_path / "s", replicates=2, n=100)
    (tmp_path / "file").touch()
    with pytest.raises(
        StratigraphError, match=r"Not a directory\); a part of the path is a file; name another"
    ):
        infer(samples, tmp_path / "file" / "g", InferConfig("published"))
