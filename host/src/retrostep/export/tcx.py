"""An activity as a TCX file (Garmin's TrainingCenterDatabase v2 with its ActivityExtension v2).

`RunCadence` is in strides a minute of one leg, in whole numbers: half the steps, rounded to even. TCX has no place for the other half.
"""

from datetime import UTC, datetime
from xml.etree import ElementTree

from retrostep.export.activity import Activity, Lap
from retrostep.plain_text import clean

_TCX = "http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"
_EXTENSION = "http://www.garmin.com/xmlschemas/ActivityExtension/v2"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_RESTING = "rest"


def tcx_bytes(activity: Activity) -> bytes:
    """The TCX file of `activity`."""
    for prefix, namespace in (("", _TCX), ("ext", _EXTENSION), ("xsi", _XSI)):
        ElementTree.register_namespace(prefix, namespace)
    root = ElementTree.Element(f"{{{_TCX}}}TrainingCenterDatabase")
    run = _add(_add(root, "Activities"), "Activity")
    run.set("Sport", "Running")
    _add(run, "Id", _utc(activity.started_at_ms))
    for lap in activity.laps:
        _add_lap(run, activity, lap)
    notes = [f"Backward running: {activity.backward_ms / 1_000:.0f} s, {activity.steps['backward']} steps.", *activity.notes]
    _add(run, "Notes", clean(" ".join(notes)))
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _add_lap(run: ElementTree.Element, activity: Activity, lap: Lap) -> None:
    part = _add(run, "Lap")
    part.set("StartTime", _utc(activity.started_at_ms + lap.start_ms))
    _add(part, "TotalTimeSeconds", f"{lap.duration_ms / 1_000:.3f}")
    _add(part, "DistanceMeters", "0")
    _add(part, "Calories", "0")
    _add(part, "Intensity", "Resting" if lap.intensity == _RESTING else "Active")
    _add(part, "TriggerMethod", "Manual")
    track = _add(part, "Track")
    for second in activity.seconds:
        if lap.start_ms < second.at_ms <= lap.end_ms:
            point = _add(track, "Trackpoint")
            _add(point, "Time", _utc(activity.started_at_ms + second.at_ms))
            _extend(point, "TPX", RunCadence=_strides(second.cadence_spm))
    # The schema puts a lap's notes behind its track, and its extensions last.
    _add(part, "Notes", f"{lap.direction}, {lap.steps} steps")
    _extend(part, "LX", AvgRunCadence=_strides(lap.cadence_spm), MaxRunCadence=_strides(lap.cadence_max_spm), Steps=lap.steps)


def _extend(part: ElementTree.Element, kind: str, **values: int) -> None:
    extensions = ElementTree.SubElement(_add(part, "Extensions"), f"{{{_EXTENSION}}}{kind}")
    for name, value in values.items():
        ElementTree.SubElement(extensions, f"{{{_EXTENSION}}}{name}").text = str(value)


def _add(parent: ElementTree.Element, name: str, text: str | None = None) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, f"{{{_TCX}}}{name}")
    element.text = text
    return element


def _strides(spm: float) -> int:
    return min(round(spm / 2), 254)


def _utc(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
