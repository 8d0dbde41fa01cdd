"""The command line `titanium`: finds commands, and turns errors into words and exit codes."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import tempfile
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from titanium import commands, errors
from titanium.errors import TitaniumError

INTERRUPTED = 130

EPILOG = f"""\b
Exit codes:
  {errors.EXIT_OK}    done
  {errors.EXIT_FAILURE}    failed for another reason (a crash names its log)
  {errors.EXIT_USAGE}    wrong usage, or an error in a file that people write
  {errors.EXIT_UNHEALTHY}    a process could not start, or the platform is not healthy
  {errors.EXIT_NOT_RUNNING}    the platform is not running
  {errors.EXIT_BUSY}    a port or the state folder is in use
  {errors.EXIT_STATE}    the state folder cannot be used (rights, space, version, damage)
  {errors.EXIT_TOOL_MISSING}    a program that the platform runs was not found
  {errors.EXIT_REJECTED}    an import was done, but for the rows it names
  {errors.EXIT_BUDGET}    an estimate is above its budget
  {errors.EXIT_UNPRICED}   a resource has no price, so there is no estimate
  {INTERRUPTED}  interrupted

\b
Examples:
  titanium up -d                 start everything in the background
  titanium status                what runs, and where
  titanium logs -f blog          follow the logs of one service
  titanium down                  stop everything, keep the data
"""


class Commands(click.Group):
    """Loads a command's module only when it is used: `titanium --help` stays fast."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        found = [module.name for module in pkgutil.iter_modules(commands.__path__)]
        return sorted(name.replace("_", "-") for name in found if not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        name = cmd_name.replace("-", "_")
        module = importlib.import_module(f"titanium.commands.{name}")
        command = getattr(module, "command", None)
        return command if isinstance(command, click.Command) else None


@click.group(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda ctx, _option, wanted: show_version(ctx) if wanted else None,
    help="Show the version and exit.",
)
def cli() -> None:
    """Run the Titanium blog platform on this machine, without Docker and without root.

    The state folder (--home, or TITANIUM_HOME) holds data, logs, certificates and secrets;
    by default it is .titanium in the checkout.
    """


def show_version(ctx: click.Context) -> None:
    from titanium.checkout import version

    click.echo(f"titanium {version()}")
    ctx.exit()


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    try:
        cli.main(args=list(arguments), prog_name="titanium", standalone_mode=False)
    except TitaniumError as error:
        show_error(error)
        return error.exit_code
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output (head, less) has enough; Python must not flush again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return errors.EXIT_OK
    except Exception as error:  # noqa: BLE001 - the last place where a crash gets words
        words = " ".join(str(error).split())
        click.echo(f"error: titanium failed: {type(error).__name__}: {words}", err=True)
        click.echo(f"next:  report it with the traceback in {_crash_log()}", err=True)
        return errors.EXIT_FAILURE
    return errors.EXIT_OK


def show_error(error: TitaniumError) -> None:
    """One line what is wrong, the log lines that tell, one line what to do next."""
    click.echo(f"error: {error.message}", err=True)
    for line in error.details:
        click.echo(f"       | {line}", err=True)
    if error.hint:
        click.echo(f"next:  {error.hint}", err=True)


def _crash_log() -> Path:
    """Write the current traceback to a private file of its own; where it is."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    descriptor, name = tempfile.mkstemp(prefix=f"titanium-crash-{stamp}-", suffix=".log")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{sys.argv}\n{traceback.format_exc()}")
    return Path(name)


def main() -> None:
    """Entry point of the program `titanium`."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
