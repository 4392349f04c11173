"""How long samples wait in the sensor's FIFO while the app imports modules, uses the flash or serves a host; its clock counts costs."""

import pytest
from bench.flash import WAIT_MS, sampling_waits


@pytest.mark.parametrize("logs", ["0", "200"])
def test_samples_never_wait_longer_than_a_third_of_the_fifo(logs: str) -> None:
    """Also in floods at the full rate of a UART, a sync, a calibration, and with a fault of the sensor or the flash."""
    facts = sampling_waits(logs)
    assert facts["lost_ms"] == 0
    for part, (wait_ms, *_) in facts["longest"].items():
        assert wait_ms <= WAIT_MS, part
