"""Activities of other programs, read from FIT, TCX and CSV files."""
