"""The evidence for a direction: exact values of single cycles, doubt, pauses, and each limit on both sides."""

from retrostep_core.codes import BACKWARD, FORWARD, STILL, UNKNOWN
from retrostep_core.gait.direction import DirectionEvidence

SAMPLES = 16
# With these the root mean squares are 21 for the angular velocity and 100 for both forces, as the method counts them.
GYRO_2, FORCE_2 = 400, 98 * 98
# (420 << 8) // (21 * 100) = 51
WITH_51 = 420


def half(force=0, forward=0, skew=0, angle=16000, samples=SAMPLES, force_2=FORCE_2, gyro_2=GYRO_2):
    """The sums of a half-cycle, from the means of its samples."""
    sums = [0] * 13
    sums[0] = samples
    sums[1] = gyro_2 * samples
    sums[2] = skew * samples
    sums[3] = forward * samples
    sums[4] = force * samples
    sums[5] = FORCE_2 * samples
    sums[6] = force_2 * samples
    sums[7] = angle
    return sums


def evidence_of(newer, older=None, direction=None):
    """The evidence after one cycle, by default of two equal half-cycles."""
    direction = direction or DirectionEvidence()
    direction.add_cycle(newer, older or newer)
    return direction.evidence


def settled(sign=1, cycles=6):
    """A direction that is beyond doubt."""
    direction = DirectionEvidence()
    for _ in range(cycles):
        evidence_of(half(sign * WITH_51, sign * WITH_51), direction=direction)
        direction.decide()
    return direction


def test_the_evidence_of_a_cycle_is_both_correlations_less_half_the_skew():
    assert evidence_of(half(force=WITH_51)) == 51 == evidence_of(half(forward=WITH_51))
    assert evidence_of(half(force=-WITH_51)) == -52 == evidence_of(half(forward=-WITH_51))
    # (((100 << 6) // 400) << 8) // 21 = 195, and half of it is 97.
    assert evidence_of(half(skew=100)) == -97 and evidence_of(half(skew=-100)) == 98
    assert evidence_of(half(WITH_51, 2 * WITH_51, -100)) == 51 + 102 + 98 - 51 - 40, "at most 160"
    assert evidence_of(half(WITH_51, WITH_51, 100)) == 51 + 51 - 97
    assert evidence_of(half(force=1240)) == 151 == evidence_of(half(forward=1240))
    # The other half-cycle counts as much.
    assert evidence_of(half(force=2 * WITH_51), half()) == 51 == evidence_of(half(), half(force=2 * WITH_51))
    assert evidence_of(half(force=3 * WITH_51, samples=8), half(samples=16)) == 51


def test_a_cycle_of_less_than_two_samples_is_none_and_a_still_one_is_no_division_by_zero():
    direction = DirectionEvidence()
    assert evidence_of(half(WITH_51, samples=1), half(samples=0), direction) == 0 and direction.confidence() == 0
    assert evidence_of(half(WITH_51, samples=1), half(samples=1), direction) != 0
    assert evidence_of(half(force=10, forward=10, gyro_2=0)) == 12 + 12


def test_the_sum_leaks_and_has_a_limit_on_either_side():
    direction = DirectionEvidence()
    found = [evidence_of(half(force=WITH_51), direction=direction) for _ in range(4)]
    # A quarter of the sum stays: 51, 51 + 51 - 38.25, ...
    assert found == [51, 63, 66, 67]
    found = [evidence_of(half(force=-WITH_51), direction=direction) for _ in range(4)]
    assert found == [-36, -61, -68, -69]
    for sign in (1, -1):
        direction = DirectionEvidence()
        # One cycle counts for at most 200, the sum for at most 160.
        assert evidence_of(half(sign * 99 * WITH_51), direction=direction) == sign * 160
        assert evidence_of(half(), direction=direction) == 40 * sign
        assert evidence_of(half(sign * 99 * WITH_51), direction=direction) == sign * 160
        direction = DirectionEvidence()
        direction.evidence = -160 * sign
        evidence_of(half(sign * 99 * WITH_51, angle=13600), half(sign * 99 * WITH_51), direction)
        assert direction.evidence == -160 * sign + (254 * (800 + 480) * sign >> 10)
        direction.evidence = 0
        # A quarter of the weight: 200 / 4.
        direction.pause()
        for _ in range(3):
            direction._weight(half(angle=0), half(angle=0))
        evidence_of(half(sign * 99 * WITH_51, angle=7701), half(sign * 99 * WITH_51), direction)
        assert direction.evidence == (66 * 4 * 200 * sign) >> 10


def test_half_cycles_that_sweep_different_angles_count_less():
    for small, weight in ((16000, 256), (13600, 254), (13648, 256), (8000, 74), (5696, 2), (5632, 0), (100, 0)):
        for newer, older in ((small, 16000), (16000, small)):
            direction = DirectionEvidence()
            for _ in range(3):
                direction._weight(half(angle=0), half(angle=0))
            assert max(0, direction._weight(half(angle=newer), half(angle=older))) == weight, (small, weight)
            found = evidence_of(half(WITH_51, angle=newer), half(WITH_51, angle=older), direction)
            assert found == weight * 4 * 51 >> 10
    direction = DirectionEvidence()
    assert evidence_of(half(WITH_51, angle=5632, samples=7), half(WITH_51), direction) == 0
    assert direction._doubts == 0 and direction.confidence() > 0, "a cycle without weight leaves doubts as they are"


def test_the_first_three_half_cycles_and_three_after_a_pause_count_without_their_other_half():
    direction = DirectionEvidence()
    for _ in range(2):
        assert [direction._weight(half(angle=3000), half()) for _ in range(4)] == [192, 192, 192, -86]
        direction.pause()
    for newer, older, weight in (
        (half(angle=2601), half(angle=10401), 192),
        (half(angle=10416), half(angle=2601), 192),
        (half(angle=2600), half(angle=10416), -54),
        (half(angle=2601), half(angle=10400), -54),
        (half(angle=3000, samples=8), half(samples=2), 192),
        (half(angle=3000, samples=7), half(samples=20), -86),
        (half(angle=13600), half(), 254),
    ):
        assert DirectionEvidence()._weight(newer, older) == weight, (newer[7], older[7], weight)


def test_five_half_cycles_of_doubt_withdraw_a_direction_and_one_without_doubt_keeps_it():
    for sign, expected in ((1, FORWARD), (-1, BACKWARD)):
        direction = settled(sign)
        assert direction.current == expected
        found = []
        for _ in range(7):
            evidence_of(half(), direction=direction)
            found.append(direction.decide())
        # 136 (or less) / 4 is below 40 at once.
        assert found == [expected] * 4 + [UNKNOWN] * 3
        direction = settled(sign)
        for _ in range(4):
            evidence_of(half(), direction=direction)
            assert direction.decide() == expected
        evidence_of(half(sign * WITH_51), direction=direction)
        assert direction.decide() == expected
        for _ in range(4):
            evidence_of(half(), direction=direction)
            assert direction.decide() == expected
        direction.restart()
        assert direction.decide() == expected, "no doubt is left, and none is new"


def test_the_limit_of_doubt():
    for evidence, doubts in ((39, 1), (40, 0), (-39, 1), (-40, 0)):
        direction = DirectionEvidence()
        evidence_of(half(), direction=direction)
        assert direction._doubts == 1
        direction.evidence = evidence * 4
        evidence_of(half(), direction=direction)
        assert direction.evidence == evidence and direction._doubts == (2 if doubts else 0), evidence


def test_after_a_pause_the_other_direction_needs_no_more_evidence_than_a_turn():
    for sign in (1, -1):
        direction = settled(sign)
        assert direction.size() > 120
        direction.pause()
        assert direction.evidence == 60 * sign
        evidence_of(half(-sign * WITH_51, -sign * WITH_51), direction=direction)
        assert direction.decide() == (BACKWARD if sign > 0 else FORWARD)
        direction.evidence = 59 * sign
        direction.pause()
        assert direction.evidence == 59 * sign


def test_decisions_on_both_sides_of_each_limit():
    for current, least in ((UNKNOWN, 40), (STILL, 40), (FORWARD, 60), (BACKWARD, 60)):
        direction = DirectionEvidence()
        evidence_of(half(), direction=direction)
        none = current if current != STILL else UNKNOWN
        for evidence, expected in ((least, none), (least + 1, FORWARD), (-least, none), (-least - 1, BACKWARD), (0, none)):
            direction.current, direction.evidence = current, evidence
            assert direction.decide() == expected == direction.current, (current, evidence)
    # A leg that is only moved gets no first direction: 40 mg are 3 of 8 mg, and 2.
    for force, expected in ((9, UNKNOWN), (16, FORWARD)):
        direction = DirectionEvidence()
        evidence_of(half(force_2=force), direction=direction)
        direction.evidence = 100
        assert direction.decide() == expected
        direction.current = STILL
        assert direction.decide() == expected == direction.current
        direction.current = BACKWARD
        assert direction.decide() == FORWARD, "one that has a direction keeps changing it"


def test_not_backward_while_the_forward_force_is_clearly_of_forward():
    # The mean of the correlation is halfway to each new one.
    for forward, expected in (
        (-WITH_51, BACKWARD),
        (0, BACKWARD),
        (29 * 2100 * 2 // 256 + 9, BACKWARD),
        (30 * 2100 * 2 // 256 + 9, UNKNOWN),
    ):
        direction = DirectionEvidence()
        direction.current = FORWARD
        evidence_of(half(forward=forward), direction=direction)
        direction.evidence = -100
        assert direction.decide() == expected, forward
    direction.reverse(1)
    assert direction.decide() == BACKWARD, "a swing of the other sign starts again"


def test_the_forward_force_counts_as_far_as_the_front_is_known():
    direction = DirectionEvidence()
    direction.has_forward = False
    assert evidence_of(half(WITH_51, WITH_51), direction=direction) == 51
    for force, forward, expected in (
        (WITH_51, WITH_51, 102),
        (WITH_51, -WITH_51, 51),
        (-WITH_51, WITH_51, -52),
        (-WITH_51, -WITH_51, -104),
    ):
        direction = DirectionEvidence()
        direction.knows_front = False
        assert evidence_of(half(force, forward), direction=direction) == expected
        assert evidence_of(half(force, forward)) == {(1, 1): 102, (-1, -1): -104}.get((force // WITH_51, forward // WITH_51), -1)


def test_a_reversal_and_standing_start_anew():
    direction = settled(1)
    direction.reverse(1)
    assert (direction.evidence, direction.current) == (-80, BACKWARD)
    assert direction.is_swing(1) and not direction.is_swing(-1)
    direction.reverse(-1)
    assert (direction.evidence, direction.current) == (80, FORWARD)
    assert direction.is_swing(-1) and not direction.is_swing(1)
    evidence_of(half(), direction=direction)
    direction.stand()
    assert (direction.evidence, direction.current, direction._doubts, direction.confidence()) == (0, STILL, 0, 0)
    assert not direction.is_swing(1) and direction._weight(half(angle=3000), half()) == 192


def test_confidence_on_both_sides_of_each_limit():
    direction = DirectionEvidence()
    evidence_of(half(), direction=direction)
    for size, expected in ((0, 1), (60, 1), (61, 2), (90, 2), (91, 3), (160, 3)):
        for sign in (1, -1):
            direction.evidence = sign * size
            assert (direction.confidence(), direction.size()) == (expected, size)
    # 72 mg are 9 of 8 mg, the 2 that are added among them.
    for force_2, expected in ((49, 0), (64, 3)):
        evidence_of(half(force_2=force_2), direction=direction)
        direction.evidence = 100
        assert direction.confidence() == expected
