"""The load of a session: peaks of the tibial acceleration of the worn leg, over the whole session."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from retrostep_core.code_names import DIRECTION_NAMES
from retrostep_core.codes import BACKWARD, FORWARD, UNKNOWN

from retrostep.units import named


class Load(Protocol):
    """The columns of schema.LoadRow that are used here."""

    direction: int
    count: int
    clipped: int
    axial_mean_g8: int
    axial_max_g8: int
    resultant_mean_g8: int
    resultant_max_g8: int
    rise_mean_4g_s: int
    rise_max_4g_s: int


@dataclass(frozen=True)
class Impacts:
    """The contacts of one direction. Peaks in g without gravity, rises in g a second, None without an unclipped contact.

    They are an indicator of the impact at the tibia, not a force. 104 samples a second miss a part of each peak (gait/load.py).
    """

    direction: str
    contacts: int
    clipped: int
    axial_mean_g: float | None
    axial_max_g: float | None
    resultant_mean_g: float | None
    resultant_max_g: float | None
    rise_mean_g_s: float | None
    rise_max_g_s: float | None


def impacts(loads: Iterable[Load]) -> list[Impacts]:
    """The impacts of each direction that has any: forward, backward, unknown."""
    rows = list(loads)
    return [_impacts(code, of) for code in (FORWARD, BACKWARD, UNKNOWN) if (of := [row for row in rows if row.direction == code])]


def impact_text(found: Impacts) -> str:
    """`forward 412 contacts: mean 5.6 g, highest 8.1 g along the shank (6.2 g and 9.0 g in all), rise 61 g/s; 3 clipped`."""
    text = f"{found.direction} {found.contacts} contacts"
    if found.axial_mean_g is not None:
        text += (
            f": mean {found.axial_mean_g:.1f} g, highest {found.axial_max_g:.1f} g along the shank "
            f"(resultant {found.resultant_mean_g:.1f} g, {found.resultant_max_g:.1f} g), rise {found.rise_mean_g_s:.0f} g/s"
        )
    return f"{text}; {found.clipped} clipped" if found.clipped else text


def _impacts(direction: int, rows: list[Load]) -> Impacts:
    counted = [row for row in rows if row.count]
    count = sum(row.count for row in counted)

    def mean(name: str, unit: float) -> float | None:
        return round(sum(getattr(row, name) * row.count for row in counted) / count / unit, 3) if count else None

    def highest(name: str, unit: float) -> float | None:
        return max(getattr(row, name) for row in counted) / unit if count else None

    return Impacts(
        direction=named(DIRECTION_NAMES, direction),
        contacts=sum(row.count + row.clipped for row in rows),
        clipped=sum(row.clipped for row in rows),
        axial_mean_g=mean("axial_mean_g8", 8),
        axial_max_g=highest("axial_max_g8", 8),
        resultant_mean_g=mean("resultant_mean_g8", 8),
        resultant_max_g=highest("resultant_max_g8", 8),
        rise_mean_g_s=mean("rise_mean_4g_s", 0.25),
        rise_max_g_s=highest("rise_max_4g_s", 0.25),
    )
