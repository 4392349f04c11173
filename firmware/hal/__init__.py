"""Everything that touches the hardware or the operating system; the only folder that imports machine and os."""
