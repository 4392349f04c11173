"""The core's reading of a log in the same plain types as formats_reader's, so that the two can be compared."""

from typing import Any

from retrostep_core.log.reader import Log, LogError, read_log

RENAMED = {"at_ms": "at", "since_ms": "since", "t_ms": "t", "start_ms": "start", "end_ms": "end", "from_ms": "from", "to_ms": "to"}


def plain(record: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in record._asdict().items():
        if name == "life" and not value:
            continue  # as in logs of before there were lives
        if name == "totals":
            found |= value._asdict()
        elif isinstance(value, bytes):
            found[name] = value.hex()
        elif isinstance(value, tuple):
            found[name] = list(value)
        else:
            found[RENAMED.get(name, name)] = value
    return found


def as_plain(log: Log) -> dict[str, Any]:
    told: dict[str, Any] = {
        name: [plain(record) for record in getattr(log, name)]
        for name in ("directions", "epochs", "bouts", "alerts", "gaps", "battery", "clocks", "marks", "rates")
    }
    told["header"] = plain(log.header)
    told["steps"] = [list(step) for step in log.steps]
    told["end"] = plain(log.end) if log.end else None
    told["totals"] = log.totals._asdict() if log.closed else None
    return told


def read(data: bytes) -> dict[str, Any] | None:
    try:
        return as_plain(read_log(data))
    except LogError:
        return None
