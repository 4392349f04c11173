"""Logs with any damage: every undamaged record is found, and only LogError is raised."""

from hypothesis import given, settings
from hypothesis import strategies as st
from retrostep.archive.log_summary import summarize_log
from retrostep_core import codes
from retrostep_core.log import decoded, raw_capture
from retrostep_core.log import records as r
from retrostep_core.log.reader import LogError, read_log, scan, valid_length
from support import core_reader, formats_reader
from support.ram_store import RamStore, Wearer
from support.recovery import recover

KINDS = st.integers(0, 255)
PAYLOADS = st.binary(max_size=255)
U32 = st.integers(0, (1 << 32) - 1)


def packed(kind: int, seq: int, payload: bytes) -> bytes:
    buf = bytearray(r.MAX_RECORD)
    return bytes(buf[: decoded.pack_record(buf, kind, seq, payload)])


def a_log() -> bytes:
    """Two minutes with every kind of record, cut off in the middle of a run."""
    store = RamStore()
    wearer = Wearer(store)
    session = wearer.session
    session.clock_fact(400, 1795354200000, 1)
    session.rate(500, 104000)
    wearer.turn(1)
    wearer.run(40)
    session.mark(wearer.clock.now, 1)
    session.gap(wearer.clock.now - 100, wearer.clock.now)
    wearer.turn(2, wearer.clock.now - 900)
    wearer.run(40)
    session.alert(wearer.clock.now, 1, 2, 160, 150)
    wearer.turn(1)
    wearer.run(40)
    return store.logs[1]


LOG = a_log()
RECORDS = list(scan(LOG))


@st.composite
def damaged(draw: st.DrawFn) -> tuple[bytes, list[tuple[int, int, bytes]]]:
    """A log with ranges of bytes overwritten, removed or inserted, and the records outside these ranges."""
    cuts = sorted(draw(st.lists(st.integers(0, len(LOG)), min_size=2, max_size=8, unique=True)))
    cuts = cuts[: len(cuts) // 2 * 2]
    pieces = [LOG[: cuts[0]]]
    touched: list[tuple[int, int]] = []
    for i in range(0, len(cuts) - 1, 2):
        begin, end = cuts[i], min(cuts[i + 1], cuts[i] + draw(st.integers(0, 40)))
        what = draw(st.sampled_from(["overwrite", "remove", "insert"]))
        if what == "insert":
            end = begin
        new = (
            b""
            if what == "remove"
            else draw(st.binary(min_size=1, max_size=40))
            if what == "insert"
            else draw(st.binary(min_size=end - begin, max_size=end - begin))
        )
        touched.append((begin, end))
        pieces.append(new)
        pieces.append(LOG[end : cuts[i + 2] if i + 2 < len(cuts) else len(LOG)])
    left = []
    for offset, kind, seq, payload in RECORDS:
        stop = offset + len(payload) + r.OVERHEAD
        # Bytes inserted between two records, or an empty range there, damage neither.
        if all(stop <= begin or offset >= end for begin, end in touched):
            left.append((kind, seq, payload))
    return b"".join(pieces), left


def found_in(data: bytes) -> list[tuple[int, int, bytes]]:
    return [(kind, seq, payload) for _, kind, seq, payload in scan(data)]


def is_subsequence(part: list, whole: list) -> bool:
    rest = iter(whole)
    return all(any(one == other for other in rest) for one in part)


@given(damaged())
@settings(max_examples=250, deadline=None)
def test_every_undamaged_record_is_found(case: tuple[bytes, list[tuple[int, int, bytes]]]) -> None:
    data, left = case
    assert is_subsequence(left, found_in(data))


@given(damaged())
@settings(max_examples=100, deadline=None)
def test_damage_is_reported_and_both_readers_agree(case: tuple[bytes, list[tuple[int, int, bytes]]]) -> None:
    data, left = case
    assert core_reader.read(data) == formats_reader.read(data)
    found = found_in(data)
    if len(found) < len(RECORDS) and any(kind == r.HEADER for kind, _, _ in found) and data[:4] == r.MAGIC:
        log = read_log(data)
        torn_off = found == [(kind, seq, payload) for _, kind, seq, payload in RECORDS[: len(found)]]
        assert log.damage or (torn_off and len(data) == sum(len(p) + r.OVERHEAD for _, _, p in found) + 4)


@given(st.integers(0, len(LOG)))
@settings(max_examples=150, deadline=None)
def test_a_cut_log_keeps_the_records_before_the_cut(length: int) -> None:
    data = LOG[:length]
    whole = [x for x in RECORDS if x[0] + len(x[3]) + r.OVERHEAD <= length]
    assert list(scan(data)) == whole

    def read(offset: int, into: memoryview) -> int:
        part = data[offset : offset + len(into)]
        into[: len(part)] = part
        return len(part)

    end = whole[-1][0] + len(whole[-1][3]) + r.OVERHEAD if whole else 0
    assert valid_length(read, length) == end


@given(st.integers(0, len(LOG)), st.binary(max_size=30))
@settings(max_examples=100, deadline=None)
def test_recovery_closes_any_cut_log_and_changes_no_record(length: int, tail: bytes) -> None:
    store = RamStore(boot=2)
    store.logs[1] = LOG[:length] + tail
    before = found_in(store.logs[1])
    totals = read_log(store.logs[1]).totals if before else None
    recover(store, store.boot)
    if not before:
        assert store.logs.get(1, b"") == LOG[:length] + tail
        return
    after = found_in(store.logs[1])
    assert after[:-1] == before and after[-1][0] == r.END
    log = read_log(store.logs[1])
    assert log.closed and log.end.reason == codes.END_INTERRUPTED and log.totals == totals
    kept = store.logs[1]
    assert recover(store, store.boot).closed == 0 and store.logs[1] == kept


def of_no_count() -> st.SearchStrategy[tuple[int, bytes]]:
    """Records that say nothing about steps or time: another mount, raw samples and their limits, and kinds of later versions."""
    buf = bytearray(255)
    mount = buf[: r.pack_mount(buf, 9_000, 0, "-y-z+x")]
    capture = buf[: raw_capture.pack_capture(buf, 9_000, 5, "run")]
    any_content = st.tuples(st.sampled_from([r.MOUNT, r.RAW, r.CAPTURE, 17, 255]), PAYLOADS)
    return st.one_of(st.sampled_from([(r.MOUNT, bytes(mount)), (r.CAPTURE, bytes(capture))]), any_content)


PLACES = st.integers(1, len(RECORDS)) | st.integers(len(RECORDS) - 3, len(RECORDS))
"""Also behind the last EPOCH, where a log that is open is counted record by record."""


@given(st.lists(st.tuples(PLACES, of_no_count()), min_size=1, max_size=8))
@settings(max_examples=100, deadline=None)
def test_a_mount_and_raw_samples_change_no_total(added: list[tuple[int, tuple[int, bytes]]]) -> None:
    contents = [(kind, payload) for _, kind, _, payload in RECORDS]
    for place, record in sorted(added, key=lambda one: one[0], reverse=True):
        contents.insert(place, record)
    data = r.MAGIC + b"".join(packed(kind, seq & 255, payload) for seq, (kind, payload) in enumerate(contents))
    plain, more = RamStore(boot=2), RamStore(boot=2)
    plain.logs[1], more.logs[1] = LOG, data
    for store in (plain, more):
        assert recover(store, store.boot) == (1, 0)
    assert more.logs[1].startswith(data)
    of_the_log = {"log_length", "log_crc", "found_mount", "damage", "lost_records"}
    for without, among in ((LOG, data), (plain.logs[1], more.logs[1])):
        expected, found = (summarize_log(log).session for log in (without, among))
        assert {**found, **{name: expected[name] for name in of_the_log}} == expected
    assert core_reader.read(data) == formats_reader.read(data)


@given(st.binary(max_size=600))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_a_log_or_a_log_error(data: bytes) -> None:
    for start in (b"", r.MAGIC):
        try:
            read_log(start + data)
        except LogError as error:
            assert str(error)


@given(st.lists(st.tuples(KINDS, PAYLOADS), max_size=12))
@settings(max_examples=300, deadline=None)
def test_both_readers_agree_on_records_of_any_content(contents: list[tuple[int, bytes]]) -> None:
    data = r.MAGIC + b"".join(packed(kind, seq, payload) for seq, (kind, payload) in enumerate(contents))
    assert [(kind, payload) for _, kind, _, payload in scan(data)] == contents
    assert core_reader.read(data) == formats_reader.read(data)


@given(st.sampled_from(sorted(decoded.LEAST)), PAYLOADS)
@settings(max_examples=500, deadline=None)
def test_any_payload_decodes_or_is_refused(kind: int, payload: bytes) -> None:
    try:
        assert decoded.decode(kind, payload) is not None
    except ValueError as error:
        assert str(error)


@given(st.lists(st.integers(1, 1 << 26), min_size=1, max_size=60), st.integers(0, 1 << 20))
def test_steps_are_decoded(intervals: list[int], first: int) -> None:
    batch = r.StepBatch()
    times = [first]
    for interval in intervals[1:]:
        times.append(times[-1] + interval)
    assert all(batch.add(t) for t in times)
    assert decoded.decode(r.STEPS, bytes(batch.payload[: batch.length])).times_ms == tuple(times)


@given(U32, U32, st.integers(0, 3), U32, U32, U32, U32, U32)
def test_numbers_are_decoded_over_their_full_range(a: int, b: int, c: int, d: int, e: int, f: int, g: int, h: int) -> None:
    buf = bytearray(255)
    view = memoryview(buf)
    assert decoded.decode(r.DIRECTION, view[: r.pack(buf, r.DIRECTION, a, b, c)]) == (a, b, c)
    assert decoded.decode(r.GAP, view[: r.pack(buf, r.GAP, a, b, c)]) == (a, b, c)
    assert decoded.decode(r.END, view[: r.pack(buf, r.END, a, c, d, e, f, g, h)]) == (a, c, (d, e, f, g, h))
    assert decoded.decode(r.CLOCK, view[: r.pack(buf, r.CLOCK, a << 32 | b, d << 32 | e, c)]) == (a << 32 | b, d << 32 | e, c)
