"""The rules: what each compares, its default limits, and what they rest on.

The load of a session is its backward time. Studies of forward running were carried over because none was found for backward running,
and each basis says so. `engineering` means: chosen here, no study found.
"""

from retrostep.training.conduct import cadence_jump, pain, ramp_alerts, stretch, warm_up
from retrostep.training.load import acwr, first_exposure, session_spike, share, weekly_volume
from retrostep.training.rhythm import frequency, rest_days
from retrostep.training.rule import BELOW, FROM, Rule

_FRANDSEN = (
    "Frandsen 2025, Br J Sports Med 59:1203 (5205 runners): against sessions up to 10 % beyond the longest run of 30 days, overuse "
    "injuries came at a hazard rate ratio of 1.64 (>10-30 %), 1.52 (>30-100 %) and 2.28 (>100 %)"
)
_DELAWARE = "University of Delaware return-to-running progression: at most 4 times a week, no more often than every other day"
_TRIALS = "Standard return-to-run program in Trials 2023 (doi 10.1186/s13063-023-07502-x)"
_ENGINEERING = "engineering default, no study found"

RULES: tuple[Rule, ...] = (
    Rule(
        rule="session_spike",
        judges="backward time of a session against the longest of the 30 days before",
        warn=10,
        fail=30,
        unit="%",
        basis="forward running by distance, carried over to backward time; 10 % or less was the study's reference, not proven safe",
        source=_FRANDSEN,
        judge=session_spike,
    ),
    Rule(
        rule="first_exposure",
        judges="backward time of the first backward session, or of the first after 14 days without",
        warn=300,
        fail=600,
        unit="s",
        basis="5 min from a surgeon's advice to beginners; 10 min and the 14 days are engineering defaults, no study found",
        source="J. Wang in The Guardian, 8 June 2006: one-minute segments two or three times; after weeks five or six minutes in total",
        judge=first_exposure,
    ),
    Rule(
        rule="frequency",
        judges="backward sessions in 7 days",
        warn=3,
        fail=4,
        unit="sessions",
        basis="at most 4 a week from a forward return-to-running ladder, carried over; the warning above 3 is an engineering default",
        source=f"{_DELAWARE}. Uthoff 2020, J Strength Cond Res 34:1113, trained backward running twice a week for 8 weeks",
        judge=frequency,
    ),
    Rule(
        rule="rest_days",
        judges="days in a row with backward running",
        warn=2,
        fail=3,
        unit="days",
        basis="return-to-running programs for forward running, carried over; the step from warning to limit is an engineering default",
        source=f"{_DELAWARE}. {_TRIALS}: at least one day of rest between runs",
        judge=rest_days,
        exceeded=FROM,
    ),
    Rule(
        rule="weekly_volume",
        judges="backward time of 7 days against that of the 7 days before",
        warn=30,
        fail=None,
        unit="%",
        basis="novices running forward by distance, carried over; more than 10 % is shown as information only",
        source=(
            "Nielsen 2014, J Orthop Sports Phys Ther 44:739: novices who progressed by more than 30 % a week seemed more prone to "
            "distance-related injuries than those below 10 %. Buist 2008 (GRONORUN), Am J Sports Med 36:33: a graded 10 % program "
            "changed nothing (20.8 and 20.3 % injured). Frandsen 2025 found no relationship for week-to-week ratios"
        ),
        judge=weekly_volume,
    ),
    Rule(
        rule="acwr",
        judges="exponentially weighted backward time of about 7 days against that of about 28; information only",
        warn=1.5,
        fail=None,
        unit="ratio",
        basis="off by default: the ratio's use is disputed; 1.5 is an engineering default",
        source=(
            "Williams 2017, Br J Sports Med 51:209 (the weighting). Against its use: Impellizzeri 2020, Int J Sports Physiol Perform "
            "15:907; Frandsen 2025 found fewer injuries at higher ratios"
        ),
        judge=acwr,
        enabled=False,
    ),
    Rule(
        rule="cadence_jump",
        judges="a session's median backward cadence against the median of the 28 days before",
        warn=10,
        fail=15,
        unit="%",
        basis="10 % is the largest change tried in that study of forward running, carried over; 15 % and 28 days are engineering defaults",
        source="Heiderscheit 2011, Med Sci Sports Exerc 43:296: joint loads, forward, at step rates 5 and 10 % above and below the usual",
        judge=cadence_jump,
    ),
    Rule(
        rule="ramp_alerts",
        judges="the device's stop alerts for backward cadence that rose too fast over 10 s",
        warn=1,
        fail=3,
        unit="alerts",
        basis=_ENGINEERING,
        source="None: no published threshold for a rise of cadence within a run was found; these numbers were chosen here",
        judge=ramp_alerts,
        exceeded=FROM,
        by_dates=False,
    ),
    Rule(
        rule="warm_up",
        judges="forward time before the first backward bout",
        warn=300,
        fail=None,
        unit="s",
        basis="a return-to-run program asks for two to three times as much; 5 min is an engineering default",
        source=f"{_TRIALS}: stretch and warm up for 10 to 15 min before exercise",
        judge=warm_up,
        exceeded=BELOW,
        by_dates=False,
    ),
    Rule(
        rule="stretch",
        judges="whether stretching the lower limbs was marked after the session; the button marks it",
        warn=1,
        fail=None,
        unit="marks",
        basis=_ENGINEERING,
        source="None: the oldest advice for backward running is to stretch the lower limbs afterwards; no study of it was found",
        judge=stretch,
        exceeded=BELOW,
        by_dates=False,
    ),
    Rule(
        rule="share",
        judges="backward part of all recorded moving time in 7 days",
        warn=20,
        fail=40,
        unit="%",
        basis=_ENGINEERING,
        source="None: backward running supplements training and does not replace it; the numbers were chosen here",
        judge=share,
    ),
    Rule(
        rule="pain",
        judges="what was noted about a session: pain from 0 to 10, whether it lasted into the next day, limping, swelling",
        warn=3,
        fail=5,
        unit="of 10",
        basis="return-to-run programs hold back for pain and swelling; 3 and 5 of 10 are engineering defaults",
        source=f"{_TRIALS}: no progress to the next phase with swelling, stiffness or more pain during or after running",
        judge=pain,
        exceeded=FROM,
        by_dates=False,
    ),
)
"""Every rule that judges training, in the order in which they are listed."""

QUALITY = "data_quality"
QUALITY_JUDGES = "gaps, interruptions, damage, missing dates, other cores, devices that are nobody's, days without data"
QUALITY_SOURCE = "None: what cannot be judged is unknown, never ok"

BY_NAME = {rule.rule: rule for rule in RULES}
