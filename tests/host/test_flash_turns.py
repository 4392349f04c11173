"""The real app on a flash that takes as long as an ESP32's, on a clock that only the flash moves: what its tasks may take."""

import pytest
from bench.flash import ROWS, create, turns

# The rest of a start, from power-on to the first sample, on an emulated ESP32.
OTHER_START_MS = 3_700


def test_the_model_of_the_flash_gives_the_figures_of_an_emulated_esp32() -> None:
    """Of the worst create on a fresh flash: 8.0 s with the default sizes and all logs in one folder, 0.18 s with ours."""
    default, ours = (create(*row)["create_ms"] for row in ROWS)
    assert 5_000 < default < 10_000 and 100 < ours < 250


@pytest.mark.parametrize(("logs", "layout"), [("0", "logs"), ("200", "logs"), ("200", "sessions")])
def test_no_call_takes_long_and_no_sample_is_lost(logs: str, layout: str) -> None:
    """Also while the logs of older firmware move from its one folder, `sessions`."""
    facts = turns(logs, layout)
    assert (facts["listed"], facts["sessions"], facts["unsynced"], facts["left"]) == (int(logs), 12, 0, 0)
    assert facts["start"] + OTHER_START_MS <= 5_000 and facts["list"] <= 2_000 and facts["create"] <= 20
    for part in ("walked", "idle", "confirmed", "erased"):
        assert max(facts[part].values()) <= 300, (part, facts[part])
    assert facts["lost"] == 0
