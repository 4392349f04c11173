"""The person at the keyboard, for the history of corrections."""

import getpass


def login_name() -> str:
    """This user's login name; `unknown` where the system has none, as in some containers."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
