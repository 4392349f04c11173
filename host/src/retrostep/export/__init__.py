"""Sessions as files for other platforms: FIT, TCX, CSV and JSON."""
