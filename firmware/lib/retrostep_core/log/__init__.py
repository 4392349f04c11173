"""Events become records, records become the bytes of a log, and back (FORMATS.md, "The session log")."""
