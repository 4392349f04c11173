"""The gaits: thigh and knee angles over a stride, as tables, and the impact of the foot.

- Forward: rounded key angles of the thigh segment and of the knee, as textbooks show them for walking (Winter 1987) and running
  (Novacheck 1998). They are typical values, not one person's. They were compared with labelled recordings of the shank's angular velocity:
  its extremes, its skew, and the time of its zero crossing before a contact.
- Backward: the forward angles reversed in time, from toe-off to contact. The joints of people who walk backward come close to that
  (Lee 2013, Gait & Posture 38:674), and so do those of people who run backward (Mehdizadeh 2015,
  doi 10.1016/j.gaitpost.2015.05.006). The smaller reach is our choice.
- Sideways: no measured angles were found. The tilt of the leg in the frontal plane follows from the foot, which stays in place during
  stance while the body moves on. The leading and the trailing leg do the same, on either side of the body.
- Impacts are not reversed: force follows a contact in either direction. In backward gait the foot lands on its toes, softer and later.
"""

from __future__ import annotations

from dataclasses import dataclass

Points = tuple[tuple[float, float], ...]
"""(per cent of the stride, degrees)"""


@dataclass(frozen=True)
class Style:
    """One gait. All values are for its natural cadence (steps a minute of both feet)."""

    name: str
    natural_spm: float
    thigh_deg: Points
    """Positive where the knee is in front of the hip."""
    knee_deg: Points
    """Flexion is positive."""
    toe_off: float
    """Share of the stride at which the foot leaves the ground."""
    heel_off: float
    """Share of the stride at which the heel begins to lift."""
    impact_g: float
    """Axial peak of the landing at the shank, before strap and soft tissue."""
    impact_ms: float
    """From contact to the peak of the landing force."""
    brake: float
    """Fore-and-aft part of the impact, against the direction of travel."""
    frontal_deg: float = 6.0
    transverse_deg: float = 9.0
    sway_m: float = 0.015
    """Sideways travel of the hip to either side."""
    reach: float = 1.0
    """Scale of the angles about their mean."""
    reach_slow: float = 0.4
    """Below the natural cadence the reach is multiplied by (spm / natural) ** reach_slow."""
    reach_fast: float = 0.2
    """The same above it; negative where steps get shorter as they get quicker."""
    backward: bool = False
    sideways_deg: Points = ()
    """Sideways gaits: tilt of the whole leg, positive where the foot is ahead of the hip. It falls evenly during stance."""
    spread_deg: float = 0.0
    """Sideways gaits: the mean tilt of either leg, outward."""
    other_at: float = 0.5
    """Share of the leading leg's stride at which the trailing foot lands; a gallop is uneven."""

    @property
    def sideways(self) -> bool:
        """Whether the body moves sideways."""
        return bool(self.sideways_deg)


WALK = Style(
    "walk",
    natural_spm=112,
    thigh_deg=((0, 23), (10, 18), (20, 9), (30, 0), (40, -8), (50, -15), (55, -15), (62, -8), (70, 7), (80, 21), (87, 26), (94, 25)),
    knee_deg=(
        (0, 4), (6, 10), (13, 16), (20, 15), (30, 10), (38, 6), (45, 7), (52, 14),
        (58, 28), (64, 47), (70, 60), (76, 57), (83, 34), (90, 9), (95, 2),
    ),
    toe_off=0.62,
    heel_off=0.38,
    impact_g=1.0,
    impact_ms=19,
    brake=0.9,
)
JOG = Style(
    "jog",
    natural_spm=158,
    thigh_deg=(
        (0, 24), (7, 20), (15, 10), (24, -4), (32, -14), (40, -20), (46, -18),
        (54, -9), (62, 4), (71, 18), (80, 27), (88, 29), (96, 27),
    ),
    knee_deg=(
        (0, 15), (5, 24), (10, 33), (15, 38), (22, 34), (30, 23), (38, 18), (45, 27),
        (53, 52), (61, 73), (68, 79), (77, 68), (85, 44), (92, 22), (98, 12),
    ),
    toe_off=0.40,
    heel_off=0.24,
    impact_g=3.2,
    impact_ms=23,
    brake=0.45,
    frontal_deg=7.0,
    transverse_deg=13.0,
    reach_fast=-0.4,
)
RUN = Style(
    "run",
    natural_spm=172,
    thigh_deg=(
        (0, 27), (7, 22), (14, 12), (22, -2), (30, -15), (37, -22), (43, -22),
        (50, -14), (60, 3), (70, 21), (79, 32), (86, 35), (93, 32),
    ),
    knee_deg=(
        (0, 16), (5, 27), (10, 36), (15, 40), (22, 35), (29, 25), (36, 20), (42, 28),
        (50, 57), (58, 82), (66, 93), (75, 85), (83, 59), (91, 29), (97, 13),
    ),
    toe_off=0.36,
    heel_off=0.21,
    impact_g=4.6,
    impact_ms=22,
    brake=0.45,
    frontal_deg=8.0,
    transverse_deg=15.0,
    reach_fast=-0.5,
)


def _reversed(style: Style, name: str, **changes: object) -> Style:
    """The gait reversed in time; contact and toe-off change places."""

    def turn(points: Points) -> Points:
        return tuple(sorted(((100 * style.toe_off - at) % 100, value) for at, value in points))

    values = {f: getattr(style, f) for f in style.__dataclass_fields__}
    values.update(
        name=name,
        thigh_deg=turn(style.thigh_deg),
        knee_deg=turn(style.knee_deg),
        heel_off=style.toe_off - style.heel_off,
        backward=True,
    )
    values.update(changes)
    return Style(**values)


BACKWARD_WALK = _reversed(WALK, "backward walk", natural_spm=104.0, reach=0.8, impact_g=0.7, impact_ms=22.0, brake=0.5)
BACKWARD_JOG = _reversed(JOG, "backward jog", natural_spm=156.0, reach=0.75, impact_g=1.9, impact_ms=24.0)
BACKWARD_RUN = _reversed(RUN, "backward run", natural_spm=178.0, reach=0.7, impact_g=2.8, impact_ms=23.0)
SIDESTEP = Style(
    "sidestep",
    natural_spm=100,
    thigh_deg=((0, 3), (25, 1), (50, 2), (62, 10), (75, 16), (88, 9)),
    knee_deg=((0, 6), (25, 8), (50, 8), (62, 24), (75, 34), (88, 18)),
    toe_off=0.58,
    heel_off=0.50,
    impact_g=0.6,
    impact_ms=18,
    brake=0.1,
    frontal_deg=3.0,
    transverse_deg=6.0,
    sway_m=0.03,
    sideways_deg=((0, 10), (15, 5), (29, 0), (44, -5), (58, -10), (64, -10.5), (72, -7), (80, 0), (88, 7), (95, 10.5)),
    spread_deg=6.0,
)
"""The leading foot steps out, the trailing one is drawn up to it."""
SIDE_SHUFFLE = Style(
    "side shuffle",
    natural_spm=170,
    thigh_deg=((0, 24), (20, 20), (40, 23), (55, 32), (72, 36), (88, 27)),
    knee_deg=((0, 38), (15, 47), (35, 43), (52, 54), (70, 60), (88, 42)),
    toe_off=0.52,
    heel_off=0.40,
    impact_g=1.5,
    impact_ms=22,
    brake=0.15,
    frontal_deg=3.0,
    transverse_deg=7.0,
    sway_m=0.05,
    sideways_deg=((0, 13), (13, 6), (25, 0), (37, -6), (50, -12.5), (57, -13.5), (66, -10), (75, -3), (84, 5), (92, 11.5), (97, 13.3)),
    spread_deg=14.0,
    other_at=0.42,
)
"""Low and quick; the feet never cross."""
CARIOCA = Style(
    "carioca",
    natural_spm=180,
    thigh_deg=((0, 4), (20, -4), (36, -12), (50, -6), (64, 16), (78, 26), (90, 14)),
    knee_deg=((0, 14), (14, 24), (32, 18), (48, 30), (64, 52), (78, 40), (90, 18)),
    toe_off=0.44,
    heel_off=0.30,
    impact_g=1.8,
    impact_ms=22,
    brake=0.2,
    frontal_deg=4.0,
    transverse_deg=32.0,
    sway_m=0.04,
    sideways_deg=((0, 11), (11, 5), (22, 0), (33, -5), (44, -10.5), (52, -12), (62, -9), (72, -3), (82, 4), (91, 10), (97, 11.3)),
    spread_deg=2.0,
)
"""Sideways with crossing steps, alternately in front and behind: the hips turn to either side."""
