"""What each kind of link carries. Imported only at the start."""

# Bytes per second, and bytes at once, that each kind of link takes. A UART at 115200 baud carries 11520 bytes per second; a little
# more keeps it busy, and a write that exceeds its FIFO would block. The chip's own USB is faster than the board can pack.
LINK_SPEEDS = {"uart": (12000, 1200), "usb": (500000, 4096), "jtag": (200000, 1200)}
