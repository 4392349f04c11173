"""`make fuzz`: coverage-guided bytes for every decoder of decoders.py, a bounded number of runs each.

    .venv-fuzz/bin/python tests/fuzz [NAME ...] [--times N]

Each decoder runs in its own process and starts from valid input. Input that breaks one is kept in build/fuzz, and its name is printed. Add
it to the ordinary tests as a case.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "build/fuzz"
PLACES = ("tests", "firmware", "boards/VIRTUAL")
sys.path[0:0] = [str(ROOT / place) for place in PLACES]
MEMORY_MB = 600
HANGS_AFTER_S = 30


def main() -> int:
    """The number of decoders that broke."""
    parser = argparse.ArgumentParser(prog="tests/fuzz", description="Coverage-guided fuzzing of every decoder of outside bytes.")
    parser.add_argument("names", nargs="*", help="decoders of tests/fuzz/decoders.py (default: all)")
    parser.add_argument("--times", type=float, default=1.0, help="how many times the usual runs (default 1)")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        return fuzz(options.only, options.times)

    from fuzz.decoders import DECODERS

    unknown = set(options.names) - {decoder.name for decoder in DECODERS}
    if unknown:
        parser.error(f"no decoder {', '.join(sorted(unknown))}: there are {', '.join(decoder.name for decoder in DECODERS)}")
    print(f"{'DECODER':<16}{'RUNS':>10}{'A SECOND':>10}{'COVERED':>9}  CAME TO")
    broken = 0
    for decoder in DECODERS:
        if options.names and decoder.name not in options.names:
            continue
        child = [sys.executable, __file__, "--only", decoder.name, "--times", str(options.times)]
        done = subprocess.run(child, capture_output=True, text=True, errors="replace")
        runs = re.findall(r"^#(\d+)\s.*?cov: (\d+)", done.stderr, re.M)
        speed = re.findall(r"exec/s: (\d+)", done.stderr)
        count, covered = runs[-1] if runs else ("0", "0")
        came_to = "held" if done.returncode == 0 else _failure(done.stdout + done.stderr)
        broken += done.returncode != 0
        print(f"{decoder.name:<16}{int(count):>10}{speed[-1] if speed else '-':>10}{covered:>9}  {came_to}", flush=True)
    return min(broken, 100)


def fuzz(name: str, times: float) -> int:
    """Run one decoder; atheris ends the process."""
    import atheris

    with atheris.instrument_imports(include=["retrostep", "retrostep_core", "hal"], enable_loader_override=False):
        from fuzz.decoders import DECODERS

    (decoder,) = [one for one in DECODERS if one.name == name]
    corpus = KEPT / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(decoder.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    limits = [f"-runs={int(decoder.runs * times)}", f"-max_len={decoder.longest}"]
    bounds = [f"-rss_limit_mb={MEMORY_MB}", f"-timeout={HANGS_AFTER_S}", f"-artifact_prefix={KEPT}/{name}-"]
    atheris.Setup([sys.argv[0], *limits, *bounds, str(corpus)], decoder.run)
    atheris.Fuzz()
    return 0


def _failure(output: str) -> str:
    """The last line of the traceback, or of libFuzzer's report, and the file with the bytes."""
    errors = re.findall(r"^(?:\w+\.)*\w*(?:Error|Exception|Interrupt)\b.*", output, re.M) or re.findall(r"ERROR: libFuzzer: .*", output)
    kept = re.findall(r"Test unit written to (\S+)", output)
    return f"BROKEN: {errors[-1][:120] if errors else output.strip().splitlines()[-1][:120]} ({kept[-1] if kept else 'nothing kept'})"


if __name__ == "__main__":
    sys.exit(main())
