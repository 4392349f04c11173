"""Exported activities, read back by the programs of others: cadence, laps, developer fields, and text that people entered."""

import io
import json
import warnings
from array import array
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import fitdecode
import fitparse
import pytest
from garmin_fit_sdk import Decoder, Stream
from jsonschema import Draft202012Validator
from retrostep.archive.store import Store
from retrostep.errors import NoCapture, Undated
from retrostep.export import activity as activity_module
from retrostep.export.activity import Activity, activity
from retrostep.export.fit import fit_bytes
from retrostep.export.raw_fit import raw_fit_bytes
from retrostep.export.raw_samples import capture_of, recording_csv
from retrostep.export.table import _cell, csv_bytes, json_bytes
from retrostep.export.tcx import tcx_bytes
from retrostep.replay.recording import read_recording
from retrostep_core import codes
from retrostep_core.codes import BACKWARD, FORWARD, STILL
from retrostep_core.link.ble_values import RSC_BYTES, pack_rsc
from retrostep_core.log import raw_capture
from retrostep_core.log import records as r
from support.cli import Retrostep, one_sentence
from support.logs import DEVICE, LogBuilder, at, session_log
from support.stored import receive

STARTED = "2026-11-20 16:30"
SPM = 171


def training() -> bytes:
    """Warm-up, two backward bouts at 171 steps a minute with a walk between them, cool-down and standing."""
    log = LogBuilder(1).clock(at(STARTED))
    log.bout(FORWARD, 120, 160).bout(BACKWARD, 60, SPM).bout(FORWARD, 30, 110).bout(BACKWARD, 60, SPM)
    log.load(BACKWARD, [10, 1, 10 * 3_000, 6_000, 10 * 4_000, 8_000, 10 * 100, 200])
    log.alert(codes.RAMP, codes.STOP).bout(FORWARD, 60, 150).bout(STILL, 20)
    return log.end()


@pytest.fixture
def exported(tmp_path: Path) -> Activity:
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        row = store.ingest(DEVICE, 1, training())
        store.add_athlete("=Ada")
        store.assign(DEVICE, "=Ada")
        store.note(DEVICE, 1, pain=2, rpe=6, text="<b>calf</b> & \x1b[31mknee")
        return activity(store.detail(store.find_session(row.name)), training())


def messages(data: bytes) -> dict[str, list[dict[str, Any]]]:
    assert Decoder(Stream.from_byte_array(bytearray(data))).check_integrity()
    found, errors = Decoder(Stream.from_byte_array(bytearray(data))).read()
    assert not errors
    return found  # type: ignore[no-any-return]


def test_the_laps_are_bouts_with_their_intensity(exported: Activity) -> None:
    assert [(lap.direction, lap.intensity, lap.duration_ms) for lap in exported.laps] == [
        ("forward", "warmup", 120_000),
        ("backward", "interval", 60_000),
        ("forward", "recovery", 30_000),
        ("backward", "interval", 60_000),
        ("forward", "cooldown", 60_000),
        ("still", "rest", 20_000),
    ]
    assert sum(lap.steps for lap in exported.laps) == sum(exported.steps.values())
    assert sum(second.steps for second in exported.seconds) == sum(exported.steps.values())


def test_every_reader_gets_171_steps_a_minute(exported: Activity) -> None:
    fit = fit_bytes(exported)
    garmin = messages(fit)
    backward = [lap for lap in garmin["lap_mesgs"] if lap["intensity"] == "interval"]
    assert [2 * (lap["avg_cadence"] + lap["avg_fractional_cadence"]) for lap in backward] == pytest.approx([SPM, SPM], abs=0.1)
    inside = [m for m in garmin["record_mesgs"] if m["developer_fields"][0] == -1][8:50]
    seconds = [2 * (m["cadence"] + m["fractional_cadence"]) for m in inside]
    # The log of this test has the steps of each 10 s only as a whole number.
    assert seconds == pytest.approx([SPM] * 42, abs=4) and sum(seconds) / 42 == pytest.approx(SPM, abs=1)
    session = garmin["session_mesgs"][0]
    assert 2 * (session["avg_cadence"] + session["avg_fractional_cadence"]) == pytest.approx(exported.cadence_spm, abs=0.02)
    assert 2 * (session["total_cycles"] + session["total_fractional_cycles"]) == sum(exported.steps.values())
    assert session["sport"] == "running"

    with fitdecode.FitReader(io.BytesIO(fit)) as reader:
        laps = [frame for frame in reader if frame.frame_type == fitdecode.FIT_FRAME_DATA and frame.name == "lap"]
    found = [2 * (lap.get_value("avg_cadence", fallback=None) or lap.get_value("avg_running_cadence")) for lap in laps]
    assert found[1] == pytest.approx(SPM, abs=1.1), "the whole strides alone"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parsed = list(fitparse.FitFile(io.BytesIO(fit)).get_messages("lap"))
    assert len(parsed) == len(exported.laps)

    tcx = ElementTree.fromstring(tcx_bytes(exported))
    space = {"t": "http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2", "x": "http://www.garmin.com/xmlschemas/ActivityExtension/v2"}
    cadences = [int(found.text or 0) for found in tcx.findall(".//x:AvgRunCadence", space)]
    assert cadences[1] == cadences[3] == round(SPM / 2)
    rsc = bytearray(RSC_BYTES)
    pack_rsc(rsc, 10 * SPM, False)
    assert 2 * rsc[3] == pytest.approx(SPM, abs=1)
    pack_rsc(rsc, 10 * SPM, True)
    assert rsc[3] == SPM
    points = [int(found.text or 0) for found in tcx.findall(".//x:RunCadence", space)]
    assert len(points) == len(exported.seconds) and 84 <= points[160] <= 87


def test_the_developer_fields_agree_with_the_session(exported: Activity) -> None:
    found = messages(fit_bytes(exported))
    names = {m["field_definition_number"]: (m["field_name"], m.get("units")) for m in found["field_description_mesgs"]}
    assert {name for name, _ in names.values()} == {"direction", "alert", "backward_time", "backward_steps", "tibial_peak"}
    session = found["session_mesgs"][0]["developer_fields"]
    laps = [lap["developer_fields"] for lap in found["lap_mesgs"]]
    assert session[2] == sum(lap[2] for lap in laps) == exported.backward_ms / 1_000 == 120
    assert session[3] == sum(lap[3] for lap in laps) == exported.steps["backward"] == 2 * SPM
    last = found["record_mesgs"][-1]["developer_fields"]
    assert last[2] == session[2] and last[3] == session[3]
    assert session[4] == exported.tibial_peak_g == 6.0 and laps[3][4] == 6.0
    assert [m["developer_fields"][1] for m in found["record_mesgs"]].count(2) == 1
    assert found["session_mesgs"][0]["workout_rpe"] == 60 and found["session_mesgs"][0]["workout_feel"] == 80


def test_what_people_entered_stays_text(exported: Activity) -> None:
    lines = csv_bytes(exported).decode().splitlines()
    assert lines[0] == "session,athlete,time,t_s,cadence_spm,direction,steps,alert"
    assert lines[1].split(",")[1] == "'=Ada", "no formula of a spreadsheet"
    assert [_cell(f"{sign}1") for sign in "\uff1d\uff0b\uff0d\uff20x"] == ["'\uff1d1", "'\uff0b1", "'\uff0d1", "'\uff201", "x1"]
    assert len(lines) == 1 + len(exported.seconds)
    notes = ElementTree.fromstring(tcx_bytes(exported)).findtext(".//{*}Activity/{*}Notes") or ""
    assert "<b>calf</b> & " in notes and "\x1b" not in notes


def test_the_json_follows_its_schema(exported: Activity) -> None:
    schema = json.loads((Path(activity_module.__file__).parent / "activity.schema.json").read_text())
    found = json.loads(json_bytes(exported))
    Draft202012Validator(schema).validate(found)
    assert found["backward_s"] == 120 and found["laps"][1]["cadence_spm"] == pytest.approx(SPM, abs=0.5)


def test_recorded_steps_are_used_where_the_log_has_them() -> None:
    log = LogBuilder(1).clock(at(STARTED))
    log.bout(FORWARD, 20, 160)
    batch = r.StepBatch()
    times = list(range(100, 20_000, 400))
    assert all(batch.add(t_ms) for t_ms in times)
    log.add(r.STEPS, bytes(batch.payload[: batch.length]))
    data = log.end()
    found = activity_module._step_times(activity_module.read_log(data))
    assert found == times


def test_the_command_writes_files_and_never_over_others(tmp_path: Path) -> None:
    retrostep = Retrostep(tmp_path / "home")
    retrostep.home.mkdir()
    with Store(f"sqlite:///{retrostep.home / 'store.sqlite'}") as store:
        for number, data in ((1, training()), (2, session_log(2, boot=2))):
            receive(store, number, data)
        store.add_athlete("Ada")
        store.assign(DEVICE, "Ada")
    ran = retrostep("export", "--athlete", "Ada", "--to", tmp_path / "out")
    assert ran.status == 0 and "1 file, 1 session skipped." in ran.out
    [file] = (tmp_path / "out").glob("*.fit")
    assert file.name.endswith(f"_{DEVICE}_1.fit") and messages(file.read_bytes())["lap_mesgs"]
    assert "is there already" in retrostep("export", f"{DEVICE}/1", "--to", tmp_path / "out").out
    file.write_bytes(b"mine")
    ran = retrostep("export", f"{DEVICE}/1", "--to", tmp_path / "out")
    assert ran.status == 1 and "add --overwrite" in one_sentence(ran) and file.read_bytes() == b"mine"
    assert retrostep("export", f"{DEVICE}/1", "--to", tmp_path / "out", "--overwrite").status == 0
    assert file.read_bytes() != b"mine"
    ran = retrostep("export", f"{DEVICE}/2", "--to", tmp_path / "out")
    assert ran.status == 1 and "--date" in one_sentence(ran)
    assert retrostep("export").status == 2
    shown, _ = retrostep.start("export", f"{DEVICE}/1", "--format", "json", "--to", "-").communicate(timeout=60)
    assert json.loads(shown)["session"] == f"{DEVICE}/1"


def raw_log(samples: int = 24, label: str = "backward run") -> bytes:
    """A session with a capture of a few samples, which count."""
    log = LogBuilder(1).clock(at(STARTED))
    buf = bytearray(255)
    log.add(r.CAPTURE, buf[: raw_capture.pack_capture(buf, 0, 5, label)])
    for k in range(0, samples, 12):
        block = [value for j in range(k, k + 12) for value in (j, -j, 1000, 10 * j, -10 * j, 5)]
        log.add(r.RAW, buf[: raw_capture.pack_raw(buf, 1_000 + 9_600 * k // 1_000, 9_600, block, 12)])
    log.bout(FORWARD, 20, 160)
    return log.end()


def test_a_capture_becomes_a_recording_without_name_device_and_date(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(recording_csv(capture_of(raw_log(), "x")))
    text = path.read_text()
    assert "# label: backward run\n" in text and DEVICE not in text and "2026" not in text
    recording = read_recording(path)
    assert len(recording.t_s) == 24 and recording.t_s[12] == pytest.approx(0.115, abs=0.001)
    assert recording.values[0][23] == 0.023 and recording.values[1][23] == -0.023 and recording.values[2][0] == 1.0
    assert recording.values[3][23] == 23.0 and recording.values[4][23] == -23.0 and recording.values[5][0] == 0.5
    with pytest.raises(NoCapture):
        capture_of(training(), "x")


def test_a_capture_as_fit_has_the_same_samples_without_name_device_and_date() -> None:
    capture = capture_of(raw_log(96), "x")
    capture.t_us = array("q", [t_us + (90_000_000 if k >= 40 else 0) for k, t_us in enumerate(capture.t_us)])
    data = raw_fit_bytes(capture)
    found = messages(data)
    start = datetime(1989, 12, 31, tzinfo=UTC)
    for name, field, place, scale in (("accelerometer_data", "accel", 0, 1_000), ("gyroscope_data", "gyro", 3, 10)):
        blocks = found[f"{name}_mesgs"]
        assert [len(block["sample_time_offset"]) for block in blocks] == [30, 10, 30, 26], "a gap begins a message"
        for k, axis in enumerate("xyz"):
            values = [value for block in blocks for value in block[f"calibrated_{field}_{axis}"]]
            assert values == pytest.approx([value / scale for value in capture.values[place + k :: 6]], abs=1e-6)
        times_ms = [
            round((block["timestamp"] - start).total_seconds() * 1_000) + block["timestamp_ms"] + offset
            for block in blocks
            for offset in block["sample_time_offset"]
        ]
        assert times_ms == pytest.approx([(t_us - capture.t_us[0]) / 1_000 for t_us in capture.t_us], abs=1)
    assert DEVICE.encode() not in data and found["device_info_mesgs"][0]["descriptor"].endswith(", backward run")
    with fitdecode.FitReader(io.BytesIO(data), check_crc=fitdecode.CrcCheck.RAISE) as reader:
        assert sum(frame.name == "accelerometer_data" for frame in reader if frame.frame_type == fitdecode.FIT_FRAME_DATA) == 4


def test_damage_costs_the_samples_of_its_record_alone() -> None:
    data = bytearray(raw_log())
    data[data.index(bytes((r.RAW,)) + b"\x03") + 30] ^= 1
    assert len(capture_of(bytes(data), "x")) == 12


def test_an_undated_session_is_refused(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        row = store.ingest(DEVICE, 1, session_log(1))
        with pytest.raises(Undated):
            activity(store.detail(row), session_log(1))
