"""The `retrostep` command. Each module here is one of its commands, imported only when it is used."""

import ast
import importlib
import io
import os
import pkgutil
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

import click

from retrostep import __version__
from retrostep.cli._cures import sentence
from retrostep.errors import RetrostepError, Unchanged
from retrostep.output.lines import echo
from retrostep.output.streams import OutputFailed, standard_streams
from retrostep.plain_text import clean

TRACEBACK = "RETROSTEP_TRACEBACK"
"""With this environment variable set, a fault prints its traceback: for developers."""


class LazyGroup(click.Group):
    """A group with one command for each module of this package. A module is imported when its command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, by name."""
        return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command. UsageError, with the nearest ones, where there is none with that name."""
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not name.startswith("-"):
            close = get_close_matches(name, known)
            hint = f" Did you mean {' or '.join(close)}?" if close else ""
            raise click.UsageError(f"No such command {ascii(name[:60])}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command `cmd_name`, or None where there is no such module. ClickException where the module defines no command."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{__name__}.{cmd_name}")
        command = getattr(module, "command", None)
        if not isinstance(command, click.Command):
            raise click.ClickException(f"{module.__file__} is no command: it must define a click command with the name `command`.")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands in the help. It reads their summaries in the source: importing every command takes a second."""
        names = self.list_commands(ctx)
        columns = formatter.width - 6 - max(map(len, names))
        with formatter.section("Commands"):
            formatter.write_dl([(name, _unimported(name).get_short_help_str(columns)) for name in names])


def _unimported(name: str) -> click.Command:
    """A command with the help of the command `name`: the docstring of the function `command` in its module."""
    source = Path(__file__).with_name(f"{name}.py").read_text("utf-8")
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == "command"]
    return click.Command(name, help=ast.get_docstring(functions[0]) if functions else None)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="retrostep")
def main() -> None:
    """Sync backward-running wearables and check training against limits.

    \b
    Example:  retrostep sync     receive the sessions of every plugged-in board
              retrostep check    see who is over a limit, and why

    \b
    Exit status: 0 fine, 1 error, 2 wrong usage, 3 a limit is exceeded
    (check), 4 damaged data was found (it is kept).
    """


def run() -> None:
    """Run `main` and exit with its status. Every error becomes one line on stderr, and none a traceback."""
    with standard_streams() as streams:
        try:
            with _no_tracebacks():
                status = _status()
                streams.flush()
        except OutputFailed as failed:
            status = 1
            if not failed.is_closed_pipe:
                saved = " What was entered or received is saved." if _is_something_saved() else ""
                click.echo(f"Error: The output could not be written: {failed}.{saved}", err=True)
        except KeyboardInterrupt:
            status = 1
        if streams.has_lost_errors:
            status = status or 1
    sys.exit(status)


def _is_something_saved() -> bool:
    """Whether the command has saved something. Commands that open no store need not import the database for that."""
    module = sys.modules.get(f"{__name__}._store")
    return module is not None and bool(module.Entered.is_saved)


def _status() -> int:
    """Run `main` and report its error. Return the exit status."""
    try:
        status = main.main(standalone_mode=False)
        return status if isinstance(status, int) else 0
    except Unchanged as same:
        echo(f"{same} Nothing was changed.")
        return 0
    except RetrostepError as error:
        echo(f"Error: {sentence(error)}", 2, err=True)
        return error.exit_status
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        click.echo("\n".join(map(clean, shown.getvalue().split("\n"))), nl=False, err=True)
        return error.exit_code
    except click.Abort as stop:
        click.echo(f"Stopped. {stop}".rstrip(), err=True)
        return 1
    except OutputFailed:
        raise
    except Exception as error:
        _report_fault(error)
        return 1


def _report_fault(error: BaseException) -> None:
    """Report an error that no part of the program expected: a fault of Retrostep. For developers, print the traceback."""
    if os.environ.get(TRACEBACK):
        click.echo("".join(traceback.format_exception(error)), err=True)
        return
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    what = clean(f"{type(error).__name__}: {error}"[:200])
    click.echo(f"Error: This is a fault of Retrostep {__version__}: {what}{where}. Please report this line and the command.", err=True)


@contextmanager
def _no_tracebacks() -> Iterator[None]:
    """Let Python report errors of threads as one line, and none of those that it ignores."""
    before = threading.excepthook, sys.unraisablehook

    def report(failed: threading.ExceptHookArgs) -> None:
        if failed.exc_value is not None:
            _report_fault(failed.exc_value)

    threading.excepthook = report
    if not os.environ.get(TRACEBACK):
        sys.unraisablehook = lambda ignored: None
    try:
        yield
    finally:
        threading.excepthook, sys.unraisablehook = before
