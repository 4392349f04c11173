"""Activity files as watches and platforms write them: FIT by Garmin's SDK, TCX, and the lists of Garmin Connect and Strava."""

import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from garmin_fit_sdk import CrcCalculator, Encoder, Profile


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def watch_fit(
    started: str,
    seconds: int,
    strides: float | None = 85.5,
    *,
    sport: str = "running",
    pauses: Sequence[tuple[int, int]] = (),
    every: int = 1,
    kind: str = "activity",
) -> bytes:
    """A run with a record each `every` s, none while paused. `strides` a minute of one leg, None for a watch without cadence."""
    start, encoder = utc(started), Encoder()

    def write(message: str, **fields: Any) -> None:
        encoder.write_mesg({"mesg_num": int(Profile["mesg_num"][message.upper()]), **fields})

    def cadence(prefix: str = "") -> dict[str, Any]:
        return {} if strides is None else {f"{prefix}cadence": int(strides), f"{prefix}fractional_cadence": strides % 1}

    def at(second: int) -> datetime:
        return start + timedelta(seconds=second)

    write("file_id", type=kind, manufacturer="garmin", product=1, serial_number=7, time_created=start)
    write("event", timestamp=start, event="timer", event_type="start")
    events = {second: kind for pause in pauses for second, kind in zip(pause, ("stop_all", "start"), strict=True)}
    for second in range(seconds + 1):
        if second in events:
            write("event", timestamp=at(second), event="timer", event_type=events[second])
        if second % every == 0 and not any(begin < second <= end for begin, end in pauses):
            write("record", timestamp=at(second), **cadence())
    moved = seconds - sum(end - begin for begin, end in pauses)
    whole = {"timestamp": at(seconds), "start_time": start, "total_elapsed_time": float(seconds), "total_timer_time": float(moved)}
    write("lap", message_index=0, event="lap", event_type="stop", **whole, **cadence("avg_"))
    write("session", message_index=0, event="session", event_type="stop", sport=sport, num_laps=1, **whole, **cadence("avg_"))
    write("activity", timestamp=at(seconds), num_sessions=1, type="manual", event="activity", event_type="stop")
    return bytes(encoder.close())


def old_watch_fit(started: str, seconds: int, strides: float) -> bytes:
    """The same as watches of 2012 wrote it: big-endian, with times in the headers of the records (compressed timestamps)."""
    start = round((utc(started) - utc("1989-12-31")).total_seconds())

    def definition(local: int, message: int, *fields: tuple[int, int, int]) -> bytes:
        return struct.pack(">BBBHB", 0x40 | local, 0, 1, message, len(fields)) + b"".join(map(bytes, fields))

    body = definition(0, 0, (0, 1, 0)) + b"\x00\x04"
    body += definition(1, 20, (253, 4, 0x86), (4, 1, 2)) + struct.pack(">BIB", 1, start, int(strides))
    body += definition(2, 20, (4, 1, 2), (53, 1, 2))
    for second in range(1, seconds + 1):
        body += bytes((0x80 | 2 << 5 | (start + second) & 31, int(strides), round(strides % 1 * 128)))
    body += definition(3, 18, (253, 4, 0x86), (2, 4, 0x86), (7, 4, 0x86), (5, 1, 0))
    body += struct.pack(">BIIIB", 3, start + seconds, start, 1_000 * seconds, 1)
    data = struct.pack("<BBHI4s", 12, 0x10, 1_000, len(body), b".FIT") + body
    return data + struct.pack("<H", CrcCalculator.calculate_crc(data, 0, len(data)))


def watch_tcx(started: str, seconds: int, strides: float | None = 86, *, sport: str = "Running") -> bytes:
    """The same as TCX, which has whole strides."""
    start = utc(started)
    times = ((start + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ") for second in range(seconds + 1))
    cadence = "" if strides is None else f"<Extensions><x:TPX><x:RunCadence>{strides:g}</x:RunCadence></x:TPX></Extensions>"
    points = "".join(f"<Trackpoint><Time>{time}</Time>{cadence}</Trackpoint>" for time in times)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2" '
        'xmlns:x="http://www.garmin.com/xmlschemas/ActivityExtension/v2"><Activities>'
        f'<Activity Sport="{sport}"><Id>{started}</Id><Lap StartTime="{start.isoformat()}">'
        f"<TotalTimeSeconds>{seconds}</TotalTimeSeconds><Track>{points}</Track></Lap></Activity></Activities></TrainingCenterDatabase>"
    ).encode()


def phone_gpx(
    started: str, seconds: int, strides: float | None = 86, *, kind: str = "running", pause: tuple[int, int] | None = None
) -> bytes:
    """The same as GPX, as Garmin Connect writes it: a point each second, and a new segment after a pause."""
    start = utc(started)
    cadence = "" if strides is None else f"<p:TrackPointExtension><p:cad>{strides:g}</p:cad></p:TrackPointExtension>"
    begin, end = pause or (seconds, seconds)
    parts = [range(0, begin + 1), range(end, seconds + 1)] if pause else [range(0, seconds + 1)]
    segments = ""
    for part in parts:
        times = ((start + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S.000Z") for second in part)
        points = (f"<trkpt lat='50' lon='8'><time>{time}</time><extensions>{cadence}</extensions></trkpt>" for time in times)
        segments += f"<trkseg>{''.join(points)}</trkseg>"
    named = f"<type>{kind}</type>" if kind else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<gpx creator="a phone" version="1.1" xmlns="http://www.topografix.com/GPX/1/1" '
        'xmlns:p="http://www.garmin.com/xmlschemas/TrackPointExtension/v1"><metadata><time>2001-01-01T00:00:00Z</time></metadata>'
        f"<wpt lat='1' lon='1'><time>2002-01-01T00:00:00Z</time></wpt><trk><name>Run</name>{named}{segments}</trk></gpx>"
    ).encode()
