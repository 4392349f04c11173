"""The pulses of a calibration, as in hal/feedback.py. Imported only for a calibration, to save RAM; the host's card reads them too."""

STAND_STILL = (150, 150, 150, 150, 150)
UP_KNOWN = (150, 150, 600, 150, 150)
FOUND = (150, 150, 600, 150, 600)
NOT_FOUND = (600, 150, 150, 150, 150, 150, 150)
