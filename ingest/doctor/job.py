"""What an inference would take on this machine."""

from pathlib import Path

from analysis.errors import MisuseError
from ingest.doctor.finding import Finding
from ingest.doctor.installation import GB, available_memory
from ingest.inference.config import InferConfig, Resources
from ingest.inference.estimate import Estimate, estimate
from ingest.inference.memory import least_bytes
from ingest.inference.size import size_of
from ingest.samples_directory import open_samples
from ingest.sampling.plan import duration


def foretell(path: Path, config: InferConfig, resources: Resources) -> list[Finding]:
    """Estimate time and memory of ``infer`` on the samples in `path`, or name replicates that do not read.

    Raises
    ------
    MisuseError
        `path` is no samples directory, or holds fewer replicates than asked for.
    DataError
        Its first replicate breaks the format.
    """
    samples = open_samples(path)
    present, wanted = len(samples.replicates), config.replicates
    if not present or (wanted or 0) > present:
        raise MisuseError(
            f"{path} holds {present} replicates; expected {wanted or 'at least 1'}, sample more or ask less"
        )
    about = [
        Finding("site", samples.site.id, samples.site.id),
        Finding("features", f"{samples.n_features:,}", samples.n_features),
    ]
    broken = samples.unreadable(wanted or present)
    if broken:
        text = f"missing or broken, sample again: {', '.join(broken)}"
        return [*about, Finding("replicates", text, len(broken), fine=False)]
    size = size_of(samples, config)
    found = estimate(samples, config, resources.threads)
    return [
        *about,
        Finding(
            "tokens", f"{size.tokens:,} in a replicate, {size.l0:.1f} features firing at one", size.tokens
        ),
        Finding("trials", f"{size.trials:,}: {size.replicates} replicates x {1 + size.nulls}", size.trials),
        *of_work(found, size.replicates, least_bytes(size)),
    ]


def of_work(found: Estimate, replicates: int, least: float) -> list[Finding]:
    """Say what work on so many replicates takes, `least` bytes at the least."""
    stages = ", ".join(f"{name} {duration(s)}" for name, s in found.stages.items() if s >= 0.5)
    free = available_memory()
    fits = free is None or least <= free
    return [
        *_pooled(found, replicates),
        Finding("time", f"about {duration(found.seconds)} ({stages})", round(found.seconds, 2)),
        Finding(
            "memory",
            f"about {found.memory / GB:.2f} GB, at least {least / GB:.2f} GB with --memory",
            round(found.memory),
        ),
        Finding(
            "available",
            "not known" if free is None else f"{free / GB:.1f} GB" + ("" if fits else ", too little"),
            free,
            fine=fits,
        ),
        Finding("estimated in", f"{found.took:.1f} s", round(found.took, 2)),
    ]


def _pooled(found: Estimate, replicates: int) -> list[Finding]:
    """Say on how many replicates together the stages of all together were measured."""
    if found.pooled is None:
        return []
    extended = "" if found.pooled == replicates else ", and extended from there"
    text = f"measured on {found.pooled:g} of {replicates} replicates{extended}"
    return [Finding("pooled stages", text, found.pooled)]
