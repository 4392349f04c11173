"""Events -> records -> journal bytes, and back (FORMATS.md, "The session log")."""
