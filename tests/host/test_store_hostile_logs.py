"""Forged logs: every record has a valid CRC, and every field any value."""

import json
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from retrostep.archive.store import Store
from retrostep.errors import DamagedData
from retrostep.output.sessions import detail_dict, session_dict
from retrostep.training.check import Check
from retrostep.training.data_quality import Core
from retrostep_core.log import records as r
from support.logs import DEVICE, LogBuilder


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with tempfile.TemporaryDirectory() as folder, Store(f"sqlite:///{folder}/store.sqlite") as opened:
        opened.add_athlete("Ada")
        opened.assign(DEVICE, "Ada")
        yield opened


kinds = st.sampled_from([r.STEPS, r.DIRECTION, r.EPOCH, r.BOUT, r.ALERT, r.GAP, r.BATTERY, r.CLOCK, r.MARK, r.RATE, r.END, r.HEADER, 99])
# Bytes at the ends of their range make the extreme numbers that random ones seldom do.
nasty = st.one_of(st.binary(max_size=60), st.lists(st.sampled_from([0, 1, 2, 127, 128, 255]), max_size=60).map(bytes))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(kinds, nasty), max_size=12), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.randoms())
def test_any_log_is_taken_in_shown_and_judged_or_refused(store: Store, made_up, boot: int, ticks: int, chance) -> None:  # type: ignore[no-untyped-def]
    log = LogBuilder(1, boot=boot, start_ticks_ms=ticks)
    for kind, payload in made_up:
        log.add(kind, payload)
    data = bytearray(log.data)
    if chance.random() < 0.3:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    try:
        row = store.ingest(DEVICE, 1, bytes(data))
    except DamagedData:
        return
    json.dumps([session_dict(row, None), detail_dict(store.detail(row))], allow_nan=False)
    verdicts = Check(store, Core((0, 1, 0), "00" * 8)).verdicts()
    json.dumps([verdict.as_dict() for verdict in verdicts], allow_nan=False)
    found = json.loads(json.dumps(session_dict(row, None)))
    assert found["dated"] in ("measured", "manual", "bounded", "undated")
    assert (found["started"] is None) == (found["dated"] in ("bounded", "undated"))
