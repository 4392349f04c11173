"""Code that tests share. Importable as `support` on CPython and on MicroPython."""
