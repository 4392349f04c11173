"""What counts steps, keeps the log and speaks the link: the same bytes on the board and on the host.

Pure: imports nothing but struct, array, binascii, collections and micropython; integers only; hardware comes in by constructor.
"""

VERSION = (0, 1, 0)
