"""What can go wrong, as one small hierarchy: the message says what happened and what to do; `exit_status` is the CLI's."""


class RetrostepError(Exception):
    """Base of every error that Retrostep raises on purpose."""

    exit_status = 1


class DamagedData(RetrostepError):
    """Data was met that is damaged or foreign; it was kept, and the message says where."""

    exit_status = 4


class BoardNotFound(RetrostepError):
    """No board is plugged in, or nothing is at the port that was named."""


class PortBusy(RetrostepError):
    """Another program holds the board's port."""


class NoPermission(RetrostepError):
    """This user may not open the board's port."""


class NoApp(RetrostepError):
    """A board is there, but Retrostep isn't running on it."""


class LinkLost(RetrostepError):
    """The board stopped answering, or its cable was pulled."""


class Refused(RetrostepError):
    """The board answered a request with an error."""


class UnknownBoard(RetrostepError):
    """No board of that name is described under boards/."""

    exit_status = 2


class DeployFailed(RetrostepError):
    """Files could not be copied to a board, or the copy could not be proved."""


class DiskFull(RetrostepError):
    """The computer has no room left for what a board holds."""


class Busy(RetrostepError):
    """Another Retrostep command is at the same work."""
