"""An activity as a FIT file, written with Garmin's SDK (profile 21).

Cadence is in strides a minute of one leg, as FIT has it for running: half the steps. The half that is lost in the whole number is in
`fractional_cadence` (1/128). Laps are bouts; their intensity says warm-up, interval (backward), recovery or cool-down. FIT has no word for
backward, so developer fields carry it; their names and units never change:

    record   direction (1 forward, -1 backward, 0 neither), alert (1 warn, 2 stop), backward_time (s), backward_steps
    lap      direction, backward_time, backward_steps, tibial_peak (g)
    session  backward_time, backward_steps, tibial_peak

`workout_feel` is 100 at no pain and 0 at a pain of 10: Retrostep asks for pain, not for a feeling.
"""

import zlib
from datetime import UTC, datetime
from typing import Any

from garmin_fit_sdk import Encoder, Profile

from retrostep import __version__
from retrostep.export.activity import Activity, Lap

_APPLICATION = bytes.fromhex("52455452 4f535445 50000001 00000001")
"""The id of our developer fields: it never changes."""
DEVELOPMENT = 255
"""Manufacturer `development` of the profile, for those that are not registered with Garmin."""

# name: (number, FIT base type, units)
_FIELDS = {
    "direction": (0, 1, "1 forward, -1 backward"),
    "alert": (1, 2, "1 warn, 2 stop"),
    "backward_time": (2, 136, "s"),
    "backward_steps": (3, 134, "steps"),
    "tibial_peak": (4, 136, "g"),
}
_SIGNS = {"forward": 1, "backward": -1}
_SEVERITIES = {"warn": 1, "stop": 2}


def fit_bytes(activity: Activity) -> bytes:
    """The FIT file of `activity`: who wrote it and our fields, then a record each second, a lap for each bout, and the session."""
    described: dict[int, dict[str, Any]] = {
        _FIELDS[name][0]: {"developer_data_id_mesg": _identity(), "field_description_mesg": _described(name)} for name in _FIELDS
    }
    encoder = Encoder(described)

    def write(message: str, **fields: Any) -> None:
        encoder.write_mesg({"mesg_num": message_number(message), **fields})

    started, ended = _time(activity.started_at_ms), _time(activity.started_at_ms + activity.duration_ms)
    serial = zlib.crc32(activity.device.encode()) or 1
    write("file_id", type="activity", manufacturer=DEVELOPMENT, product=1, serial_number=serial, time_created=started)
    encoder.write_mesg(_identity())
    for name in _FIELDS:
        encoder.write_mesg(_described(name))
    write("device_info", timestamp=started, manufacturer=DEVELOPMENT, product=1, serial_number=serial, software_version=_version())
    write("event", timestamp=started, event="timer", event_type="start")
    _write_records(activity, write)
    write("event", timestamp=ended, event="timer", event_type="stop_all")
    for number, lap in enumerate(activity.laps):
        _write_lap(activity, lap, number, write)
    _write_session(activity, write)
    timer_s = activity.duration_ms / 1_000
    write("activity", timestamp=ended, total_timer_time=timer_s, num_sessions=1, type="manual", event="activity", event_type="stop")
    return bytes(encoder.close())


def _write_records(activity: Activity, write: Any) -> None:
    backward_ms = backward_steps = before_ms = 0
    for second in activity.seconds:
        if second.direction == "backward":
            backward_ms += second.at_ms - before_ms
            backward_steps += second.steps
        before_ms = second.at_ms
        write(
            "record",
            timestamp=_time(activity.started_at_ms + second.at_ms),
            developer_fields=_developer(
                direction=_SIGNS.get(second.direction, 0),
                alert=_SEVERITIES.get(second.alert.rpartition("_")[2], 0),
                backward_time=backward_ms / 1_000,
                backward_steps=backward_steps,
            ),
            **_cadence(second.cadence_spm, ""),
        )


def _write_lap(activity: Activity, lap: Lap, number: int, write: Any) -> None:
    is_backward = lap.direction == "backward"
    write(
        "lap",
        message_index=number,
        timestamp=_time(activity.started_at_ms + lap.end_ms),
        start_time=_time(activity.started_at_ms + lap.start_ms),
        event="lap",
        event_type="stop",
        sport="running",
        intensity=lap.intensity,
        lap_trigger="session_end" if number == len(activity.laps) - 1 else "manual",
        total_elapsed_time=lap.duration_ms / 1_000,
        total_timer_time=lap.duration_ms / 1_000,
        total_cycles=lap.steps // 2,
        total_fractional_cycles=lap.steps % 2 / 2,
        developer_fields=_developer(
            direction=_SIGNS.get(lap.direction, 0),
            backward_time=lap.duration_ms / 1_000 if is_backward else 0.0,
            backward_steps=lap.steps if is_backward else 0,
            tibial_peak=lap.tibial_peak_g,
        ),
        **_cadence(lap.cadence_spm, "avg_"),
        **_cadence(lap.cadence_max_spm, "max_"),
    )


def _write_session(activity: Activity, write: Any) -> None:
    backward_ms, backward_steps = _backward(activity.laps)
    optional: dict[str, Any] = {}
    if activity.rpe is not None:
        optional["workout_rpe"] = 10 * activity.rpe
    if activity.pain is not None:
        optional["workout_feel"] = 100 - 10 * activity.pain
    write(
        "session",
        message_index=0,
        timestamp=_time(activity.started_at_ms + activity.duration_ms),
        start_time=_time(activity.started_at_ms),
        event="session",
        event_type="stop",
        sport="running",
        sub_sport="generic",
        total_elapsed_time=activity.duration_ms / 1_000,
        total_timer_time=activity.duration_ms / 1_000,
        total_cycles=sum(activity.steps.values()) // 2,
        total_fractional_cycles=sum(activity.steps.values()) % 2 / 2,
        first_lap_index=0,
        num_laps=len(activity.laps),
        trigger="activity_end",
        developer_fields=_developer(backward_time=backward_ms / 1_000, backward_steps=backward_steps, tibial_peak=activity.tibial_peak_g),
        **_cadence(activity.cadence_spm, "avg_"),
        **_cadence(activity.cadence_max_spm, "max_"),
        **optional,
    )


def _cadence(spm: float, prefix: str) -> dict[str, Any]:
    """Steps a minute as the two fields of FIT: whole strides a minute, and their fraction in 1/128."""
    whole, fraction = divmod(min(round(64 * spm), 255 * 128 - 1), 128)
    return {f"{prefix}cadence": whole, f"{prefix}fractional_cadence": fraction / 128}


def _backward(laps: list[Lap]) -> tuple[int, int]:
    """(backward time in ms, backward steps) of the laps, so that laps and session agree."""
    backward = [lap for lap in laps if lap.direction == "backward"]
    return sum(lap.duration_ms for lap in backward), sum(lap.steps for lap in backward)


def _developer(**values: float | None) -> dict[int, float]:
    return {_FIELDS[name][0]: value for name, value in values.items() if value is not None}


def _identity() -> dict[str, Any]:
    """The message that says whose developer fields these are."""
    return {
        "mesg_num": message_number("developer_data_id"),
        "developer_data_index": 0,
        "application_id": list(_APPLICATION),
        "application_version": 1,
    }


def _described(name: str) -> dict[str, Any]:
    number, base_type, units = _FIELDS[name]
    return {
        "mesg_num": message_number("field_description"),
        "developer_data_index": 0,
        "field_definition_number": number,
        "fit_base_type_id": base_type,
        "field_name": [name],
        "units": [units],
    }


def message_number(message: str) -> int:
    """The number of a message of the profile."""
    return int(Profile["mesg_num"][message.upper()])


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1_000, UTC)


def _version() -> float:
    major, minor, _ = __version__.split(".")
    return int(major) + int(minor) / 100
