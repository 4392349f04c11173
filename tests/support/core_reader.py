"""The core's reading of a log in the same plain types as formats_reader's, so that the two can be compared."""

from typing import Any

from retrostep_core.log.reader import Log, LogError, read_log

RENAMED = {
    "generation": "life",
    "at_ms": "at",
    "since_ms": "since",
    "t_ms": "t",
    "start_ms": "start",
    "end_ms": "end",
    "from_ms": "from",
    "to_ms": "to",
}


def plain(record: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in record._asdict().items():
        if name == "generation" and not value:
            continue  # generation 0: a log without the field, and the golden files leave it out
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
    values: dict[str, Any] = {
        name: [plain(record) for record in getattr(log, name)]
        for name in ("directions", "epochs", "bouts", "alerts", "gaps", "battery", "clocks", "marks", "rates")
    }
    if log.loads:
        values["loads"] = [{"t_s": load.t_ms // 1000, **plain(load)} for load in log.loads]
        for load in values["loads"]:
            del load["t"]
    if log.mounts:
        values["mounts"] = [plain(mount) for mount in log.mounts]
    values["header"] = plain(log.header)
    values["steps"] = [list(step) for step in log.steps]
    values["end"] = plain(log.end) if log.end else None
    values["totals"] = log.totals._asdict() if log.closed else None
    return values


def read(data: bytes) -> dict[str, Any] | None:
    try:
        return as_plain(read_log(data))
    except LogError:
        return None
