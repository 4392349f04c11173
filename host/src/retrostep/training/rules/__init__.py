"""The progression rules: their data with sources, and one small function each."""
