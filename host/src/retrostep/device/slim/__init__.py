"""A compiled board's modules as a program that less memory holds: linked, with few short names, and a file for each room."""
