"""Samples in body axes in; steps of both feet, direction, cadence and alerts out."""
