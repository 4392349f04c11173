"""Two cores at once: detectors over recordings, and whatever else takes long."""

from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from detectors import DETECTORS, Detector
from retrostep.replay.recording import Recording, read_recording
from scoring import Events

CORES = 2


def spread(function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]]) -> list[Any]:
    """function(*task) for each task, results in order. Modules imported before stay imported in the workers."""
    with ProcessPoolExecutor(CORES, mp_context=get_context("fork")) as pool:
        return list(pool.map(_call, [(function, *task) for task in tasks], chunksize=1))


def _call(task: tuple[Any, ...]) -> Any:
    return task[0](*task[1:])


def present() -> tuple[list[Detector], list[str]]:
    """The detectors that can run here, and a sentence for each that cannot."""
    missing = {detector.name: detector.missing() for detector in DETECTORS}
    return [d for d in DETECTORS if not missing[d.name]], [why for why in missing.values() if why]


def everything(source: Path | Recording, names: list[str]) -> dict[str, Events | None]:
    """One recording through the detectors of these names; None from one that is not meant for it."""
    recording = read_recording(source) if isinstance(source, Path) else source
    return {detector.name: detector.run(recording) for detector in DETECTORS if detector.name in names}
