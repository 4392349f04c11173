"""The speed of each kind of link. Imported only at the start."""

# For each kind of link: bytes per second, and the most bytes in one write. A UART at 115200 baud carries 11520 bytes per second; a little
# more keeps it busy. A write that exceeds its FIFO would block. The chip's own USB is faster than the board can pack.
LINK_SPEEDS = {"uart": (12000, 1200), "usb": (500000, 4096), "jtag": (200000, 1200)}
