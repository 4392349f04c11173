"""Where things lie for the tests: the checkout, and beside it the labelled motion and its scorer."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
SCORER = ROOT.parent / "shared" / "bench" / "score.py"
