"""Progression rules: what is a session, which limits hold, who exceeds one and why."""
