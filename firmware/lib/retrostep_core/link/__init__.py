"""Frames, messages and the device's half of sync (FORMATS.md, "The link")."""
