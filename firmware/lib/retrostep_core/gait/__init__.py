"""Samples in body axes -> steps of both feet, direction, cadence and alerts."""
