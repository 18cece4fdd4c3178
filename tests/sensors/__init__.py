"""Faults of sensors: each is found and called by its name, and none is taken for a fault of the machine."""
