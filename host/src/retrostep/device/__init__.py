"""Boards: find their ports, open them, talk to what runs there, and copy to them what shall run."""
