"""What can go wrong, as one small hierarchy: the message says what happened and what to do; `exit_status` is the CLI's."""


class RetrostepError(Exception):
    """Base of every error that Retrostep raises on purpose."""

    exit_status = 1


class DamagedData(RetrostepError):
    """Data was met that is damaged or foreign; it was kept, and the message says where."""

    exit_status = 4
