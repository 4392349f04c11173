"""Install the firmware on a board."""
