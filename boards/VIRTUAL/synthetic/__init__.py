"""Synthetic motion of a lower leg: gaits, the leg that moves so, plans of what it does, and the sensor strapped to it."""
