"""``stratigraph sample``: text through a model and its SAEs into samples directories, one per layer."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.sampling import Plan, SampleConfig, parse_layers, sample

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace, _SubParsersAction

_EPILOG = """\
examples:
  stratigraph sample --model organism --sae organism --layers 0-3 --corpus organism --out samples
  stratigraph sample --model gpt2-small --sae gpt2-small-res-jb --layers 7,8 \\
      --corpus HuggingFaceFW/fineweb --dataset-config sample-10BT --out samples
  stratigraph sample --model gemma-2-2b --sae 'gemma-scope-2b-pt-res-canonical/*width_16k*' --layers 12 \\
      --corpus 'texts/*.jsonl' --text-column body --out samples

The directories OUT/LAYER are complete when the command ends with 0; killed, the same command goes on, and
it makes again what is missing or does not read.
"""


def add_reading_options(parser: "ArgumentParser") -> None:
    """Add what says which activations are read: model, SAEs, corpus and the draw, without its size."""
    parser.add_argument("--model", required=True, help="name on the hub, directory, or organism (built in)")
    parser.add_argument(
        "--sae",
        required=True,
        help="RELEASE, RELEASE/SAE_ID (* allowed), hub repository, directory, or organism",
    )
    parser.add_argument(
        "--corpus", required=True, help="dataset on the hub, file, directory or glob, or organism"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the draw (0)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (auto)")
    parser.add_argument(
        "--batch", type=int, default=0, metavar="ROWS", help="rows in a forward pass (chosen)"
    )
    parser.add_argument("--dataset-config", metavar="NAME", help="configuration of a hub dataset")
    parser.add_argument("--split", help="split of a hub dataset (train)")
    parser.add_argument("--text-column", metavar="NAME", help="column that holds the text (text)")


def add_options(parser: "ArgumentParser") -> None:
    """Add what says which activations to sample: what is read, and the size of the draw."""
    add_reading_options(parser)
    parser.add_argument(
        "--activations", type=int, default=200, help="activations per feature and replicate (200)"
    )
    parser.add_argument("--replicates", type=int, default=30, help="independent draws (30)")


def config_from(arguments: "Namespace", layers: tuple[int, ...], out: Path) -> SampleConfig:
    """Make the configuration from parsed options.

    Raises
    ------
    MisuseError
        A value is out of range or two contradict each other.
    """
    return SampleConfig(
        model=arguments.model,
        sae=arguments.sae,
        corpus=arguments.corpus,
        out=out,
        layers=layers,
        activations=arguments.activations,
        replicates=arguments.replicates,
        seed=arguments.seed,
        device=arguments.device,
        batch=arguments.batch,
        dataset_config=arguments.dataset_config,
        split=arguments.split,
        text_column=arguments.text_column,
    )


def announce(plan: Plan) -> None:
    """Tell the user on stderr what is about to be read."""
    sys.stderr.write(plan.sentence() + "\n")


def add(commands: "_SubParsersAction[ArgumentParser]") -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser(
        "sample",
        help="read a corpus with a model and its SAEs into samples directories",
        description="Read text with a model and its SAEs into samples directories, one a layer.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(parser)
    parser.add_argument("--layers", help="such as 0-3 or 0,2,5 (default: every layer the SAEs cover)")
    parser.add_argument("--out", required=True, type=Path, help="gets one directory per layer")
    parser.set_defaults(run=run)


def run(arguments: "Namespace") -> int:
    """Sample, and write the directories' names to stdout."""
    layers = parse_layers(arguments.layers) if arguments.layers else ()
    plans: list[Plan] = []

    def announced(plan: Plan) -> None:
        plans.append(plan)
        announce(plan)

    paths = sample(config_from(arguments, layers, arguments.out), announced)
    if not plans:
        sys.stderr.write(f"{arguments.out} is finished already\n")
    for path in paths:
        sys.stdout.write(f"{path}\n")
    return 0
