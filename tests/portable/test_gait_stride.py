"""Steps from half-cycles, by exact times: the gate, small swings, held contacts, reversals, ends, each limit on both sides."""

from support.half_cycles import MOVING, NOT_GAIT, REVERSING, WIDE, Leg, walking


def test_the_gate_credits_the_swings_that_waited_with_their_own_times():
    leg = Leg()
    assert leg.walk(1000, 2100) == []
    assert leg.walk(3000) == [450, 1000, 1550, 2100, 2550, 3000]
    assert leg.output.at == [3040] * 6 and leg.output.contacts == [1000, 2100, 3000]
    assert (leg.strides.swing_end_ms, leg.strides.stride_ms) == (3000, 900)
    assert leg.walk(4100)[6:] == [3550, 4100] and leg.output.at[6:] == [4140, 4140]


def test_the_first_step_of_the_other_foot():
    for from_ms, standing, first, second, credited in (
        # 30 ms and more after the movement began.
        (469, False, WIDE, WIDE, True),
        (470, False, WIDE, WIDE, False),
        (0, True, WIDE, WIDE, True),
        # From standing only where the first swing is wider than 7/9 of the second.
        (0, True, 42001, 54000, True),
        (0, True, 42000, 54000, False),
        (0, False, 42000, 54000, True),
        (500, True, WIDE, WIDE, False),
    ):
        leg = Leg(from_ms, standing)
        leg.swing(1000, first)
        leg.swing(2000, second)
        assert (leg.swing(3000)[0] == 500) == credited, (from_ms, standing, first)
        assert leg.output.steps[-5:] == [1000, 1500, 2000, 2500, 3000]


def test_movement_that_begins_late_or_stops_before_the_gate():
    leg = Leg(100)
    leg.strides.begin(500)
    leg.strides.begin(90)
    leg.swing(499)
    assert leg.walk(1000, 2000, 3000) == [1000, 1500, 2000, 2500, 3000]
    leg = Leg()
    leg.strides.stand()
    leg.swing(1000, 42000)
    leg.strides.stand()
    assert leg.swing(2000, 54000) == [] and leg.swing(3000)[0] == 1000, "the leg was quiet before its first swing"
    leg = Leg()
    leg.swing(1000, 42000)
    leg.strides.stand()
    leg.swing(2000, 54000)
    assert leg.swing(3000)[0] == 500, "a quiet moment between two swings is no stand"


def test_the_gate_needs_evidence_and_width_and_confidence_or_five_swings():
    for more, opens in (
        ({}, 3),
        ({"score": 4}, 2),
        ({"score": 3}, 3),
        ({"score": 1}, 5),
        ({"score": 0}, None),
        ({"angle": 10401}, 3),
        ({"angle": 10400}, 5),
        ({"confidence": REVERSING, "score": 4}, 2),
        ({"confidence": MOVING, "score": 4}, 3),
        ({"confidence": NOT_GAIT}, 5),
        ({"angle": 5200}, 5),
        ({"angle": 5199}, None),
        ({"took_ms": 1200}, 3),
        ({"took_ms": 1201}, None),
    ):
        leg = Leg()
        opened = None
        for k in range(1, 8):
            if leg.swing(1000 * k, **more) and opened is None:
                opened = k
        assert opened == opens, (more, opened)
    for stride_ms, opens in ((2199, 3), (2200, 5), (3400, 5), (3401, None), (380, 3), (379, 5)):
        leg = Leg()
        opened = None
        for k in range(1, 8):
            if leg.swing(5000 + stride_ms * k, peak=4000) and opened is None:
                opened = k
        assert opened == opens, (stride_ms, opened)


def test_swings_that_wait_are_dropped_where_they_do_not_fit():
    # A bad score, or a stride that is too long: what came before is forgotten.
    for second in ({"end_ms": 2000, "score": -2}, {"end_ms": 4401}):
        leg = Leg()
        leg.swing(1000)
        leg.swing(**second)
        at_ms = second["end_ms"]
        assert leg.walk(at_ms + 1000) == [] and leg.walk(at_ms + 2000)[:2] == [at_ms - 500, at_ms]
    leg = Leg()
    leg.swing(1000)
    leg.swing(2000, score=-1)
    assert leg.walk(3000, 4000) == [] and leg.walk(5000)[:2] == [500, 1000], "a poor score is no reason"
    # A stride of more than 3/2 of the other, and 600 ms: the newest one is the first.
    for second, third, kept in ((2000, 3800, True), (2000, 3801, False), (3000, 4134, True), (3000, 4133, False)):
        leg = Leg()
        leg.swing(1000, score=0)
        leg.swing(second, 50000, score=0)
        leg.swing(third, score=4)
        assert leg.output.contacts == ([1000, second, third] if kept else [second, third]), third
    leg = Leg(0, True)
    for end_ms, angle, score in ((1000, WIDE, 0), (2000, 42000, 0), (3801, 54000, 4)):
        leg.swing(end_ms, angle, score)
    assert leg.output.steps == [2000, 2900, 3801], "its angle is kept as well"
    # Not from standing, and less than 4/9 of the speed of what follows: the leg was moved.
    for peak, standing, first_ms in ((1777, False, 2000), (1778, False, 1000), (1777, True, 1000)):
        leg = Leg(0, standing)
        leg.swing(1000, peak=peak)
        leg.walk(2000, 3000, 4000)
        assert leg.output.contacts[0] == first_ms, (peak, standing)
        if first_ms == 2000:
            assert leg.output.steps[0] == 1500, "after the movement"


def test_a_sixth_swing_takes_the_place_of_the_oldest():
    leg = Leg()
    for k, score in enumerate((0, 0, 1, 0, 1, 0, 1, 1)):
        leg.swing(1000 * (k + 1), score=score)
    assert leg.output.contacts == []
    leg.swing(9000)
    assert leg.output.contacts == [5000, 6000, 7000, 8000, 9000]
    assert leg.output.steps == [4500 + 500 * k for k in range(10)]


def test_a_bout_is_resumed_with_half_the_evidence_within_four_seconds():
    for pause_ms, opens in ((3999, True), (4000, False)):
        leg = walking()
        leg.strides.end(5500, False)
        leg.output.contacts.clear()
        leg.swing(5000 + pause_ms - 1000)
        leg.swing(5000 + pause_ms)
        assert bool(leg.output.contacts) == opens
    leg = walking()
    leg.strides.end(5500, False)
    leg.output.contacts.clear()
    leg.walk(7000, 8000, score=1)
    assert leg.output.contacts == [], "half of the evidence, no less"


def test_a_half_cycle_that_is_small_for_this_gait_is_no_swing():
    # A third of the usual angle; what is that wide counts.
    for angle, score, counts in ((20000, 1, True), (19999, 1, False), (19999, 2, True)):
        leg = walking()
        assert leg.swing(6000, angle, score) == [], "half of the usual angle: it waits for the next half-cycle"
        assert leg.half(1, 6400) == ([5500, 6000] if counts else []), angle
    for angle, waits in ((29999, True), (30000, False)):
        leg = walking()
        assert leg.swing(6000, angle) == ([] if waits else [5500, 6000]), angle
    # It begins with that of the second swing.
    leg = Leg()
    for end_ms, angle in ((1000, 50000), (2000, 54000), (3000, 58000)):
        leg.swing(end_ms, angle)
    assert leg.strides._usual_angle == 56000
    # The usual angle follows swings wider than 7/9 of it by half the difference.
    leg = walking()
    for end_ms, angle, usual in ((6000, 80000, 70000), (7000, 54445, 62222), (8000, 48394, 62222), (9000, 48395, 55308)):
        leg.swing(end_ms, angle)
        assert leg.strides._usual_angle == usual


def test_a_small_swing_closes_a_bout_if_nothing_follows_it():
    for sign, end_ms, angle, closes in (
        (-1, 5900, 19999, True),
        (-1, 5900, 8321, True),
        (-1, 5900, 8320, False),
        (1, 5900, 19999, False),
        (-1, 5501, 19999, True),
        (-1, 5500, 19999, False),
    ):
        leg = walking()
        leg.half(sign, end_ms, angle, 1)
        leg.strides.end(7000, True)
        middle = (5000 + end_ms) // 2
        assert leg.output.steps == ([middle, end_ms] if closes else [5500]), (sign, end_ms, angle)
        assert leg.output.at == [7000] * len(leg.output.steps) and leg.output.cadences[-1] == (0, 0)
        leg.output.steps.clear()
        leg.output.contacts.clear()
        # No step of the next bout is before that.
        last_ms = end_ms if closes else 5500
        leg.walk(last_ms + 200, last_ms + 1200, last_ms + 2200)
        assert leg.output.contacts[0] == last_ms + 200 and leg.output.steps[0] == last_ms + 200
    leg = walking()
    leg.swing(5700, 15000, 1)
    assert leg.walk(6000, 7000) == [5500, 6000, 6500, 7000], "something follows"
    leg.strides.end(8000, True)
    assert leg.output.steps[4:] == [7500], "and the small swing is forgotten"


def test_the_last_step_of_the_other_foot():
    for angle, at_ms, credited in ((46667, 7000, True), (46666, 7000, False), (WIDE, 6500, True), (WIDE, 6499, False)):
        leg = walking()
        leg.strides._usual_angle = WIDE
        leg.swing(6000, WIDE)
        leg.strides._usual_angle = WIDE
        leg.strides._last_angle = angle
        leg.output.steps.clear()
        leg.strides.end(at_ms, False)
        assert leg.output.steps == ([6500] if credited else []), (angle, at_ms)
        assert (leg.strides.swing_end_ms, leg.strides.stride_ms) == (-1, 0)
    leg = Leg()
    leg.walk(1000, 2000)
    leg.strides.end(3000, False)
    assert leg.output.steps == [] and leg.output.cadences == [], "no bout was under way"


def test_a_bout_ends_where_no_swing_comes_in_time():
    for stride_ms, waited_ms, ends in (
        (700, 1600, False),
        (700, 1601, True),
        (600, 1500, False),
        (600, 1501, True),
        (1000, 2200, False),
        (1000, 2201, True),
    ):
        leg = walking(stride_ms)
        leg.strides.end_if_over(5 * stride_ms + waited_ms)
        assert (leg.strides.swing_end_ms < 0) == ends, (stride_ms, waited_ms)
        assert not leg.strides._from_standing
    leg = Leg()
    leg.swing(1000)
    leg.strides.end_if_over(9000)
    assert leg.output.steps == [] and leg.output.cadences == []
    # A swing after a pause: longer than 1.3 s, and than 7/4 of the stride before.
    for stride_ms, pause_ms, ends in ((1000, 1750, False), (1000, 1751, True), (700, 1300, False), (700, 1301, True)):
        leg = walking(stride_ms)
        leg.swing(5 * stride_ms + pause_ms)
        assert (len(leg.output.contacts) == 0) == ends, (stride_ms, pause_ms)
        assert not leg.strides._from_standing


def test_a_contact_too_early_is_none():
    for stride_ms, counts in ((379, False), (380, True)):
        leg = walking()
        leg.swing(5000 + stride_ms)
        assert bool(leg.output.contacts) == counts and leg.strides.swing_end_ms == (5380 if counts else 5000)


def test_bad_strides_use_up_the_evidence_and_then_end_the_bout_without_a_last_step():
    leg = walking()
    for k, score in enumerate((-2, -2, -1, -2)):
        leg.swing(6000 + 1000 * k, score=score)
        assert leg.strides.swing_end_ms == 6000 + 1000 * k, "6, less 2 each: not below 0"
    leg.swing(9600, 15000, 1)
    leg.output.steps.clear()
    leg.swing(10000, score=-2)
    assert leg.strides.swing_end_ms < 0 and not leg.strides._from_standing and leg.output.steps == [] and leg.output.cadences[-1] == (0, 0)
    leg = walking()
    for k, score in enumerate((-2, -2, 2, -2, -2, -2)):
        leg.swing(6000 + 1000 * k, score=score)
    assert leg.strides.swing_end_ms == 11000, "a fair stride renews it"
    leg = walking()
    for k, score in enumerate((-2, -2, 1, -2, -2)):
        leg.swing(6000 + 1000 * k, score=score)
    assert leg.strides.swing_end_ms < 0, "a poor one does not"
    # After the gate there is less of it.
    leg = Leg()
    leg.walk(1000, 2000, 3000, score=2)
    for k in range(3):
        leg.swing(4000 + 1000 * k, score=-2)
    assert leg.strides.swing_end_ms < 0


def test_the_same_swing_continues_where_the_leg_has_not_swung_back():
    for between, joined in ((14999, True), (15000, False)):
        leg = Leg()
        leg.swing(1000)
        leg.swing(1800, between=between)
        leg.walk(2600, 3400)
        assert leg.output.contacts == ([1800, 2600, 3400] if joined else [1000, 1800, 2600, 3400]), between
    leg = walking()
    assert leg.swing(5500, between=0) == [], "nothing is credited"
    leg.strides.end(7000, False)
    assert leg.output.steps == [5500] and leg.output.contacts == []
    # The end of the swing that continued is what the next stride is measured from.
    leg = walking()
    leg.output.cadences.clear()
    leg.swing(5100, between=0)
    leg.swing(6100)
    assert leg.output.cadences[-1][1] == 1200
    # It is the width of the complete swing that decides about the first step.
    for angle, first in ((42000, 1400), (42001, 900)):
        leg = Leg(0, True)
        leg.swing(1000, 5300)
        leg.swing(1400, angle, between=1000)
        leg.swing(2400, 54000)
        assert leg.swing(3400, 54000)[0] == first, angle


def test_a_first_swing_from_standing_is_a_step_though_its_stride_is_none():
    usual = [760, 1100, 1440, 1780]
    for standing, first_ms, counts in ((True, 720, True), (True, 81, True), (True, 80, False), (False, 720, False)):
        leg = Leg(0, standing)
        leg.swing(first_ms, 30000, 0)
        leg.swing(1100, score=-2)
        assert leg.swing(1780, score=4) == ([first_ms] + usual if counts else usual), (standing, first_ms)
        assert (first_ms in leg.output.contacts) == counts


def test_where_the_leg_moves_on_in_another_plane_the_steps_between_are_credited():
    for after_ms, strike, took_ms, between in (
        (3499, 100, 400, 5),
        (3500, 100, 400, 0),
        (2000, 12, 400, 3),
        (2000, 11, 400, 0),
        (2000, 100, 1935, 3),
        (2000, 100, 1936, 0),
    ):
        leg = walking()
        leg.half(1, 5100, strike=strike, took_ms=took_ms)
        leg.strides.change_plane(5200)
        leg.output.steps.clear()
        first_ms = 5000 + after_ms
        steps = leg.walk(first_ms, first_ms + 1000, first_ms + 2000)
        inside = [t for t in steps if 5000 < t < first_ms]
        # Otherwise the other foot's step before the first contact is the only one.
        assert len(inside) == (between or 1), (after_ms, strike, took_ms)


def test_a_contact_is_held_until_the_direction_is_confirmed():
    leg = walking()
    assert leg.swing(6000, confidence=REVERSING) == [] and leg.strides.swing_end_ms == 5000
    assert leg.half(1, 6500) == [5500, 6000] and leg.output.at == [6540, 6540]
    leg = walking()
    leg.swing(6000, 30000, confidence=REVERSING, score=-2)
    leg.half(1, 6500)
    assert leg.strides._evidence == 4 and leg.strides._last_angle == 30000, "with its score and its angle"
    leg = walking()
    leg.swing(6000, confidence=REVERSING, score=-2)
    leg.swing(7000, confidence=REVERSING)
    assert leg.output.steps == [5500, 6000]
    leg.strides.end(7900, False)
    assert leg.output.steps == [5500, 6000, 6500, 7000, 7500], "the end of the bout confirms it too"
    # One after a pause is not held: it begins another bout.
    for pause_ms, held in ((1750, True), (1751, False)):
        leg = walking()
        leg.swing(5000 + pause_ms, confidence=REVERSING)
        assert (leg.strides._held_ms >= 0) == held and (leg.strides.swing_end_ms < 0) != held
    # A small half-cycle confirms nothing, one of the reversed direction drops it.
    leg = walking()
    leg.swing(6000, confidence=REVERSING)
    leg.half(1, 6500, 5000)
    assert leg.output.steps == [] and leg.strides._held_ms == 6000
    leg.swing_sign = 1
    leg.half(1, 6500)
    assert leg.strides._held_ms == -1 and 6000 not in leg.output.contacts


def test_a_reversal_credits_as_many_steps_as_half_strides_have_passed():
    for passed_ms, expected in (
        (1751, None),
        (1750, [5437, 5875, 6312, 6750]),
        (1749, [5583, 6166, 6749]),
        (1250, [5416, 5833, 6250]),
        (1249, [5624, 6249]),
        (750, [5375, 5750]),
        (749, [5749]),
        (300, [5300]),
        (299, []),
        (1, []),
    ):
        leg = walking()
        leg.swing_sign = 1
        steps = leg.half(1, 5000 + passed_ms)
        if expected is None:
            assert leg.output.contacts == [] and leg.strides.swing_end_ms < 0, "a pause: the bout has ended"
            assert leg.strides._swing_sign == 1 and leg.strides._waiting == 1 and not leg.strides._from_standing
            continue
        assert steps == expected, passed_ms
        assert leg.output.contacts == expected[-1:] and leg.strides.swing_end_ms == 5000 + passed_ms
        assert leg.output.at == [5040 + passed_ms] * len(expected)
        # From here on the other sign is the swing.
        assert leg.swing(5000 + passed_ms + 900)[-1] == 5900 + passed_ms


def test_a_reversal_known_at_the_end_of_a_stance_takes_the_last_swing_of_the_other_sign():
    leg = walking()
    leg.half(1, 5450)
    leg.swing_sign = 1
    assert leg.half(-1, 5900) == [5450] and leg.output.contacts == [5450] and leg.output.at == [5940]
    leg = walking()
    leg.swing_sign = 1
    leg.half(-1, 5900)
    assert leg.output.steps == [] and leg.strides.swing_end_ms == 5000, "no half-cycle of that sign is known"
    # Before the gate: that half-cycle is the first swing of the other sign, and what waited is dropped.
    leg = Leg()
    leg.half(-1, 1000)
    leg.half(1, 1500, 30000, peak=3000)
    leg.swing_sign = 1
    leg.half(-1, 2000)
    assert leg.strides._waiting == 1 and leg.strides._waiting_ms[0] == 1500 and leg.strides._waiting_angle[0] == 30000
    assert leg.strides._first_peak == 3000 and leg.strides._waiting_score[0] == 0
    leg.half(1, 2500)
    assert leg.half(1, 3500) == [1000, 1500, 2000, 2500, 3000, 3500]


def test_a_bout_that_rough_swings_ended_is_resumed_after_three_good_strides_in_a_row():
    for bad, count, opens_ms in ((-4, 2, 8000), (-2, 3, 7000)):
        for rests in (False, True):
            leg = Leg()
            leg.walk(1000, 2000, 3000)
            at_ms = 3000
            for k in range(count):
                assert leg.strides.swing_end_ms == 3000 + 1000 * k, "fewer are not enough to end the bout"
                at_ms += 1000
                leg.swing(at_ms, score=bad)
            assert leg.strides.swing_end_ms == -1, bad
            if rests:
                leg.strides.stand()
            before = len(leg.output.steps)
            while len(leg.output.steps) == before and at_ms < 12000:
                at_ms += 1000
                leg.swing(at_ms, score=4, confidence=REVERSING)
            assert at_ms == opens_ms, (rests, bad, at_ms)


def test_swings_that_are_no_gait_count_before_a_bout_if_they_are_wide_and_recent():
    for bad, count, angle, wait_ms, opens in (
        (-2, 1, WIDE, 0, 1),
        (-2, 2, WIDE, 0, 2),
        (-2, 2, 10400, 0, 1),
        (-4, 1, WIDE, 0, 3),
        (-4, 1, WIDE, 6000, 4),
        (-4, 1, WIDE, 9000, 2),
        (-2, 2, WIDE, 9000, 2),
    ):
        leg = Leg()
        at_ms = 1000
        for _ in range(count):
            at_ms += 1000
            leg.swing(at_ms, score=bad, angle=angle)
        leg.strides.stand()
        at_ms += wait_ms
        strides = 0
        while not leg.output.steps:
            strides += 1
            at_ms += 1000
            leg.swing(at_ms, score=4)
        assert strides == opens, (bad, count, angle, wait_ms, strides)
