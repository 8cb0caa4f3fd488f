"""stratigraph: which features of a language model depend on which, inside a layer and across layers.

This is the front door. It checks that the rooms beside it are its own, hands each verb of the command line to
its room, and turns a failure into one sentence and an exit code. In a notebook it is
``import stratigraph as sg``.
"""

import argparse
import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from queries.notebook import Graph

# Threads that wait for work must sleep, not spin: where other work shares the machine, spinning made sampling
# 4 times slower (docs/log.md). Read when the numerical libraries load, so it comes first.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_HOME = Path(__file__).resolve().parent
_ROOMS = ("analysis", "graphdb", "ingest", "queries")
_COMMAND_MODULES = ("ingest.commands", "graphdb.commands", "queries.commands")


def connect(where: "str | Path") -> "Graph":
    """Open a graph database for a notebook; every answer is a polars frame.

    Parameters
    ----------
    where
        Directory of a database of ours, or ``bolt://host:port`` with credentials in the environment.
    """
    from queries.notebook import connect as open_graph  # noqa: PLC0415  the driver is loaded when it is needed

    return open_graph(where)


def _check_rooms() -> None:
    """Refuse to run when another package called like one of ours comes first on the path."""
    for room in _ROOMS:
        found = import_module(room).__file__
        if found is None or Path(found).resolve().parent.parent != _HOME:
            sys.exit(
                f"stratigraph: the package {room!r} was found at {found}, expected beside {_HOME}; "
                "rename that folder, or run from another one"
            )


class _Version(argparse.Action):
    """Print the version when it is asked for; looking it up takes longer than making the parser."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

        try:
            found = version("stratigraph")
        except PackageNotFoundError:
            found = "not installed"
        sys.stdout.write(f"stratigraph {found}\n")
        parser.exit()


def _parser(verb: str = "") -> argparse.ArgumentParser:
    """Return the parser; where `verb` is one that asks, without those that bring in: slow to add."""
    parser = None
    for modules in (_COMMAND_MODULES[1:], _COMMAND_MODULES):
        parser = argparse.ArgumentParser(prog="stratigraph", description=__doc__.split("\n\n", maxsplit=1)[0])
        parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
        commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
        for name in modules:
            import_module(name).add_commands(commands)
        if verb in commands.choices:
            break
    assert parser is not None
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 misuse."""
    _check_rooms()
    from analysis.errors import StratigraphError  # noqa: PLC0415  the rooms are checked first

    words = sys.argv[1:] if argv is None else argv
    arguments = _parser(words[0] if words else "").parse_args(words)
    # A batch system ends a job with SIGTERM: leave through the doors that Ctrl-C uses, ending our server too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        code = arguments.run(arguments)
        sys.stdout.flush()
    except StratigraphError as error:
        sys.stderr.write(f"stratigraph: {error}\n")
        return error.exit_code
    except (KeyboardInterrupt, SystemError) as error:
        # Interrupted in a compiled kernel, Python wraps the interrupt in a SystemError.
        if not _interrupted(error):
            raise
        sys.stderr.write("stratigraph: interrupted; what was finished is kept\n")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return int(code or 0)


def _interrupted(error: BaseException | None) -> bool:
    """Say whether an interrupt from the keyboard stands anywhere in the chain of `error`."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


if __name__ == "__main__":
    sys.exit(main())
