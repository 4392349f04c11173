"""A second reader of session logs, written from firmware/FORMATS.md alone: it shares no code with the core."""

import zlib
from typing import Any

NAMES = ["", "header", "steps", "directions", "epochs", "bouts", "alerts", "gaps", "battery", "clocks", "marks", "rates", "end", "loads"]
TOTALS = ["forward_steps", "backward_steps", "unknown_steps", "forward_ms", "backward_ms"]
# Field names and sizes of the kinds with numbers only; a negative size means signed.
PLAIN = {
    3: [("at", 4), ("since", 4), ("direction", 1)],
    4: [("t", 4), *[(name, 4) for name in TOTALS], ("cadence_x10", 2), ("peak_mg", 2)],
    5: [("start", 4), ("end", 4), ("direction", 1), ("steps", 2), ("cadence_mean_x10", 2), ("cadence_max_x10", 2)],
    6: [("at", 4), ("kind", 1), ("severity", 1), ("measured", -4), ("limit", -4)],
    7: [("from", 4), ("to", 4), ("reason", 1)],
    8: [("at", 4), ("millivolt", 2), ("percent", 1)],
    9: [("ticks_ms", 8), ("epoch_ms", 8), ("source", 1)],
    10: [("at", 4), ("mark", 1)],
    11: [("at", 4), ("milli_hz", 4)],
    12: [("t", 4), ("reason", 1), *[(name, 4) for name in TOTALS]],
    13: [
        *[("t_s", 2), ("direction", 1), ("count", 1), ("clipped", 1), ("axial_mean_g8", 1), ("axial_max_g8", 1)],
        *[("resultant_mean_g8", 1), ("resultant_max_g8", 1), ("rise_mean_4g_s", 1), ("rise_max_4g_s", 1)],
    ],
}


class Unfit(Exception):
    """The payload does not fit its kind."""


class Bytes:
    """A payload that is read from the front."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def take(self, count: int) -> bytes:
        if count > len(self.data):
            raise Unfit
        head, self.data = self.data[:count], self.data[count:]
        return head

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(abs(size)), "little", signed=size < 0)

    def varint(self) -> int:
        value = 0
        for place in range(5):
            byte = self.number(1)
            value += (byte % 128) * 128**place
            if byte < 128:
                return value
        raise Unfit

    def name(self) -> str:
        raw = self.take(self.number(1))
        if len(raw) > 32 or any(not 0x20 <= code <= 0x7E for code in raw):
            raise Unfit
        return raw.decode()


def header(payload: Bytes) -> dict[str, Any]:
    found: dict[str, Any] = {"core_version": list(payload.take(3)), "core_hash": payload.take(8).hex()}
    for name, size in (("session", 4), ("boot", 4), ("start_ticks_ms", 8), ("trigger", 1), ("placement", 1), ("side", 1)):
        found[name] = payload.number(size)
    found |= {"mount": axes(payload), "limits": payload.take(24).hex(), "device": payload.name(), "board": payload.name()}
    return found | generation(payload)


def axes(payload: Bytes) -> str:
    text = payload.take(6).rstrip(b"\0")
    if any(code not in b"+-xyz?" for code in text):
        raise Unfit
    return text.decode()


def mount(payload: Bytes) -> dict[str, Any]:
    return {"at": payload.number(4), "since": payload.number(4), "mount": axes(payload)}


def generation(payload: Bytes) -> dict[str, int]:
    """The device's generation, which the golden files call `life`. Empty for generation 0 and for logs without the field."""
    value = payload.number(4) if len(payload.data) >= 4 else 0
    return {"life": value} if value else {}


def steps(payload: Bytes) -> list[int]:
    times = [payload.number(4)]
    count = payload.number(1)
    if not 1 <= count <= 60:
        raise Unfit
    interval = 0
    for i in range(1, count):
        coded = payload.varint()
        interval = coded if i == 1 else interval + (coded // 2 if coded % 2 == 0 else -(coded + 1) // 2)
        if interval < 1:
            raise Unfit
        times.append(times[-1] + interval)
    if times[-1] >= 1 << 32:
        raise Unfit
    return times


def fields(kind: int, payload: Bytes) -> dict[str, int]:
    found = {name: payload.number(size) for name, size in PLAIN[kind]}
    if found.get("direction", 0) > 3:
        raise Unfit
    return found


def is_valid(data: bytes, at: int) -> bool:
    if at + 7 > len(data):
        return False
    end = at + 3 + data[at + 2]
    return end + 4 <= len(data) and zlib.crc32(data[at:end] + b"RSL\x01") == int.from_bytes(data[end : end + 4], "little")


def records(data: bytes) -> list[tuple[int, int, int, bytes]]:
    """(offset, kind, seq, payload) of every valid record."""
    found: list[tuple[int, int, int, bytes]] = []
    at = 0
    while at < len(data):
        if not is_valid(data, at):
            at += 1
            continue
        size = data[at + 2]
        found.append((at, data[at], data[at + 1], data[at + 3 : at + 3 + size]))
        at += size + 7
        if not is_valid(data, at):
            at -= 3
    return found


def read(data: bytes) -> dict[str, Any] | None:
    """The log in plain types; None without a header or with another version."""
    if data.startswith(b"RSL") and data[3:4] != b"\x01":
        return None
    log: dict[str, Any] = {name: [] for name in NAMES[3:12]} | {"header": None, "steps": [], "end": None}
    for _, kind, _, payload in records(data):
        try:
            if kind == 1 and log["header"] is None:
                log["header"] = header(Bytes(payload))
            elif kind == 2:
                log["steps"] += steps(Bytes(payload))
            elif kind == 12:
                log["end"] = fields(kind, Bytes(payload))
            elif kind == 14:
                found = mount(Bytes(payload))  # first: a log whose only MOUNT is unfit has no list of them
                log.setdefault("mounts", []).append(found)
            elif kind in PLAIN:
                record = fields(kind, Bytes(payload))
                # Older logs have no loads, and their golden files no list of them.
                log.setdefault(NAMES[kind], []).append(record)
        except Unfit:
            continue
    if log["header"] is None:
        return None
    log["steps"] = [[t, label(t, log["directions"])] for t in sorted(log["steps"])]
    log["totals"] = {name: log["end"][name] for name in TOTALS} if log["end"] else None
    return log


def label(t: int, directions: list[dict[str, int]]) -> int:
    earlier = [d["direction"] for d in directions if d["since"] <= t]
    return earlier[-1] if earlier else 0
