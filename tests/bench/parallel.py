"""Runs detectors and other long work on two cores."""

from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from retrostep.replay.recording import ImuRecording, read_recording

from bench.detectors import DETECTORS, Detector
from bench.scoring import Events

CORES = 2


def run_parallel(function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]]) -> list[Any]:
    """function(*task) for each task, in processes; the results are in the order of the tasks."""
    with ProcessPoolExecutor(CORES, mp_context=get_context("fork")) as pool:
        return list(pool.map(_call, [(function, *task) for task in tasks], chunksize=1))


def _call(task: tuple[Any, ...]) -> Any:
    return task[0](*task[1:])


def available_detectors() -> tuple[list[Detector], list[str]]:
    """(detectors that can run here, a sentence for each that cannot)."""
    missing = {detector.name: detector.missing() for detector in DETECTORS}
    return [d for d in DETECTORS if not missing[d.name]], [why for why in missing.values() if why]


def run_detectors(source: Path | ImuRecording, names: list[str]) -> dict[str, Events | None]:
    """{name: events} of the named detectors on one recording; None from a detector that is not made for it."""
    recording = read_recording(source) if isinstance(source, Path) else source
    return {detector.name: detector.run(recording) for detector in DETECTORS if detector.name in names}
