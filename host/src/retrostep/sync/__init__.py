"""Copy finished sessions from boards into the archive."""
