"""A capture on the virtual board, from the request to the recording that replay reads."""

import time
from pathlib import Path

import numpy as np
from motion import Stand, Walk, Wear, generate
from retrostep.device.client import DeviceClient
from retrostep.device.serial_port import SerialPort
from retrostep.replay.recording import read_recording
from support.cli import Retrostep, one_sentence
from support.virtual_board_process import PATIENCE_S, VirtualBoard

SPEED = 20


def test_a_capture_brings_the_motion_home(tmp_path: Path) -> None:
    made = generate([Stand(3), Walk(20), Stand(90)], 5, Wear(side="left", mount="+y+z+x"))
    recording = made.write(tmp_path / "leg.csv")[0]
    retrostep = Retrostep(tmp_path / "home")
    with VirtualBoard("--speed", SPEED, recording=recording, ready=True) as board:
        ran = retrostep("capture", "--port", board.port, "--minutes", 1, "--label", "walk")
        assert ran.status == 1 and "--consent" in one_sentence(ran)
        ran = retrostep("capture", "--port", board.port, "--minutes", 1, "--label", "walk", "--consent")
        assert ran.status == 0 and "Capturing for 1 minute." in ran.out, ran.err
        end = time.monotonic() + PATIENCE_S
        while True:
            synced = retrostep("sync", "--port", board.port, "--json").json["devices"][0]["sessions"]
            if synced and all(session["confirmed"] for session in synced):
                break
            assert time.monotonic() < end
            time.sleep(0.5)
        with DeviceClient(SerialPort(board.port)) as client:
            device = client.hello().device
    ran = retrostep("export", f"{device}/1", "--format", "recording", "--to", tmp_path / "out")
    assert ran.status == 0, ran.err
    [file] = (tmp_path / "out").glob("recording_*.csv")
    assert device not in file.read_text()
    captured, played = read_recording(file), read_recording(recording)
    # A board on a busy computer reads its sensor late, and corrects the time of the next sample by a few periods.
    assert captured.t_s[-1] > 59 and max(np.diff(captured.t_s)) < 0.048, "no sample is missing"
    assert abs(len(captured.t_s) - captured.t_s[-1] * 6667 / 64) < 10
    # Body axes: the sensor's +y is forward.
    forward, angular = np.array(captured.values[0]), np.array(captured.values[4])
    played_angular = np.interp(np.arange(0, 25, 1 / 104), played.t_s, played.values[5])
    assert angular.std() > 10 and forward.std() > 0.05
    assert abs(abs(angular).max() - abs(played_angular).max()) < 0.1 * abs(played_angular).max()
    ran = retrostep("replay", "--json", file)
    assert ran.status == 0 and '"event": "step"' in ran.out.replace('"event":"', '"event": "')
