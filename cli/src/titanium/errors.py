"""Errors that a person can meet, and the exit codes they become."""

from __future__ import annotations

EXIT_OK = 0
EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_UNHEALTHY = 3
EXIT_NOT_RUNNING = 4
EXIT_BUSY = 5
EXIT_STATE = 6
EXIT_TOOL_MISSING = 7
EXIT_REJECTED = 8
EXIT_BUDGET = 9
EXIT_UNPRICED = 10


class TitaniumError(Exception):
    """What is wrong and where (`message`), and what to do next (`hint`).

    The command line prints both on one line each, `details` (the last lines of a log)
    between them, and exits with `exit_code`.
    """

    exit_code = EXIT_FAILURE

    def __init__(self, message: str, hint: str = "", details: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details


class UsageError(TitaniumError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = EXIT_USAGE


class ConfigurationError(TitaniumError):
    """A file that people write (service.toml, policy.toml, ...) is wrong; names file and key."""

    exit_code = EXIT_USAGE


class StateError(TitaniumError):
    """The state folder cannot be used: unwritable, from a newer version, or damaged."""

    exit_code = EXIT_STATE


class PortBusyError(TitaniumError):
    """A port that the platform needs belongs to another process."""

    exit_code = EXIT_BUSY


class NotRunningError(TitaniumError):
    """The command needs a running platform and there is none."""

    exit_code = EXIT_NOT_RUNNING


class RunningError(TitaniumError):
    """The command needs a stopped platform, or a state folder that nobody else supervises."""

    exit_code = EXIT_BUSY


class UnhealthyError(TitaniumError):
    """A process could not start or did not become ready in time."""

    exit_code = EXIT_UNHEALTHY


class ToolMissingError(TitaniumError):
    """A program that the platform runs was not found."""

    exit_code = EXIT_TOOL_MISSING
