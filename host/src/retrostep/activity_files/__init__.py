"""Activities of other programs, read from FIT, TCX, GPX and CSV files."""
