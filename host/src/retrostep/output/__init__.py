"""Text, tables and files for people and for other programs."""
