"""The `retrostep` command: one module a subcommand, found by its name when it is called."""

import importlib
import io
import pkgutil
import sys

import click

from retrostep import __version__
from retrostep.errors import RetrostepError
from retrostep.output.plain import clean


class LazyGroup(click.Group):
    """A group whose commands are this package's modules; a module is imported only when its command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, by name."""
        return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command `cmd_name`, or None where there is no such module."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command = importlib.import_module(f"{__name__}.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="retrostep")
def main() -> None:
    """Sync backward-running wearables and check training against progression limits.

    \b
    Plug a device in, then:  retrostep sync  and  retrostep check
    Its app does not start?  retrostep rescue  saves its sessions.

    \b
    Exit status: 0 fine, 1 error, 2 usage, 3 a limit is exceeded (check), 4 damaged data was met.
    """


def run() -> None:
    """Run `main`; a RetrostepError becomes one line on stderr and its exit status."""
    try:
        status = main.main(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except RetrostepError as error:
        click.echo(f"Error: {clean(str(error))}", err=True)
        sys.exit(error.exit_status)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        said = io.StringIO()
        error.show(said)
        click.echo("\n".join(map(clean, said.getvalue().split("\n"))), nl=False, err=True)
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("Stopped. What was received is kept; run the same command again to go on.", err=True)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
