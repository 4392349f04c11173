"""All step detectors with one interface: a recording in, events out, in the format of `retrostep replay --json`."""

import importlib
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from retrostep.replay.engines import on_host
from retrostep.replay.events import lines
from retrostep.replay.recording import ImuRecording
from retrostep_core.codes import SHANK
from retrostep_core.gait.limits import Limits

from bench.baseline import baseline
from bench.pedometer import steps as zhao_steps
from bench.scoring import CADENCE_STEPS, RATE_HZ, Events

OURS = "Retrostep"
G = 9.80665
# The band of 40 to 260 steps a minute, and the shortest step.
BAND_HZ = (0.6, 5.0)
QUICKEST_S = 0.22
PROMINENCE_G = 0.08


@dataclass(frozen=True)
class Detector:
    """A step detector; `run` returns None for a recording that it is not made for. `causal`: it needs no future samples."""

    name: str
    causal: bool
    run: Callable[[ImuRecording], Events | None]
    needs: tuple[str, ...] = ()
    slow: bool = False

    def missing(self) -> str:
        """Why it cannot run here; empty if it can."""
        for module in self.needs:
            try:
                importlib.import_module(module)
            except ImportError as error:
                return f"{self.name} is not measured: {error} (`make bench` installs it, with the network)."
        return ""


def retrostep(recording: ImuRecording) -> Events:
    """The engine of Retrostep, on CPython."""
    (replayed,) = on_host([recording], Limits())
    return [json.loads(line) for line in lines(replayed)]


def _baseline(recording: ImuRecording) -> Events | None:
    if recording.placement != SHANK or not recording.has_gyro or recording.mount == "?":
        return None
    t_s, samples = _body(recording)
    steps, changes = baseline(t_s, samples[:, 4])
    return _step_events(steps) + [{"event": "direction", "at": at, "direction": name} for at, name in changes]


def _zhao(recording: ImuRecording) -> Events:
    t_s, samples = _body(recording)
    return _step_events(zhao_steps(t_s, samples[:, :3]))


def _find_peaks(recording: ImuRecording) -> Events:
    """Peaks of the band-passed magnitude of the acceleration."""
    from scipy.signal import butter, find_peaks, sosfiltfilt

    t_s, samples = _even(recording)
    sos = butter(2, BAND_HZ, "band", fs=RATE_HZ, output="sos")
    size = sosfiltfilt(sos, np.linalg.norm(samples[:, :3], axis=1), padlen=min(len(t_s) - 1, 300))
    peaks, _ = find_peaks(size, distance=QUICKEST_S * RATE_HZ, prominence=PROMINENCE_G)
    return _step_events([(t, t) for t in t_s[peaks].tolist()])


def _skdh(recording: ImuRecording) -> Events:
    """skdh.gait's second version: preprocessing, then the wavelet on the fore-and-aft acceleration."""
    from skdh.gait.substeps import ApCwtGaitEvents, PreprocessGaitBout

    t_s, samples = _even(recording)
    acc = np.ascontiguousarray(samples[:, :3])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            bout = PreprocessGaitBout().predict(time=t_s, accel=acc, fs=RATE_HZ)
            found = ApCwtGaitEvents().predict(time=t_s, accel=acc, fs=RATE_HZ, **bout)
    except (ValueError, IndexError):
        return []  # too short or not periodic: no steps
    contacts = np.unique(np.asarray(found["initial_contacts"], int))
    return _step_events([(t, t) for t in t_s[contacts].tolist()])


def _mobgap(recording: ImuRecording) -> Events:
    """The Ionescu detector that the Mobilise-D pipelines use, on the vertical acceleration."""
    import pandas as pd
    from mobgap.initial_contacts import IcdIonescu

    t_s, samples = _even(recording)
    frame = pd.DataFrame(
        {
            "acc_is": samples[:, 2] * G,
            "acc_ml": -samples[:, 1] * G,
            "acc_pa": samples[:, 0] * G,
            "gyr_is": samples[:, 5],
            "gyr_ml": -samples[:, 4],
            "gyr_pa": samples[:, 3],
        }
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = IcdIonescu().detect(frame, sampling_rate_hz=RATE_HZ).ic_list_
    except (ValueError, IndexError):
        return []  # too short for its filters: no steps
    contacts = np.clip(found["ic"].to_numpy().astype(int), 0, len(t_s) - 1)
    return _step_events([(t, t) for t in t_s[np.unique(contacts)].tolist()])


DETECTORS = (
    Detector(OURS, True, retrostep),
    Detector("baseline, 40 lines", True, _baseline),
    Detector("Analog Devices 2010", True, _zhao),
    Detector("band-pass, find_peaks", False, _find_peaks, ("scipy",)),
    Detector("skdh AP-CWT", False, _skdh, ("skdh",)),
    Detector("mobgap Ionescu", False, _mobgap, ("mobgap.initial_contacts",), slow=True),
)


def _step_events(steps: list[tuple[float, float]]) -> Events:
    """Step events, and after each the cadence of the last six steps, for detectors without cadence."""
    out: Events = []
    times: list[float] = []
    for t, at in sorted(steps):
        out.append({"event": "step", "t": t, "at": at, "direction": "unknown"})
        times.append(t)
        if len(times) >= CADENCE_STEPS and t > times[-CADENCE_STEPS]:
            spm = 60 * (CADENCE_STEPS - 1) / (t - times[-CADENCE_STEPS])
            out.append({"event": "cadence", "at": at, "spm": spm})
    return out


def _body(recording: ImuRecording) -> tuple[np.ndarray, np.ndarray]:
    """Body axes. If the mount is unknown: z along the mean acceleration, x along the strongest motion perpendicular to it."""
    from bench.inputs import body

    t_s, samples = body(recording)
    if recording.mount != "?":
        return t_s, samples
    up = samples[:, :3].mean(0)
    up /= max(float(np.linalg.norm(up)), 1e-9)
    flat = samples[:, :3] - np.outer(samples[:, :3] @ up, up)
    ahead = np.linalg.svd(flat - flat.mean(0), full_matrices=False)[2][0]
    ahead -= (ahead @ up) * up
    ahead /= max(float(np.linalg.norm(ahead)), 1e-9)
    turn = np.stack([ahead, np.cross(up, ahead), up], 1)
    return t_s, np.hstack([samples[:, :3] @ turn, samples[:, 3:] @ turn])


def _even(recording: ImuRecording) -> tuple[np.ndarray, np.ndarray]:
    """The same, resampled to a constant 104 Hz, which laboratory code requires."""
    t_s, samples = _body(recording)
    even = np.arange(t_s[0], t_s[-1], 1 / RATE_HZ)
    return even, np.stack([np.interp(even, t_s, column) for column in samples.T], 1)
