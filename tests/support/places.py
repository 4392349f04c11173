"""Paths for the tests: the checkout, and beside it the labelled recordings and their scorer."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
SCORER = ROOT.parent / "shared" / "bench" / "score.py"
