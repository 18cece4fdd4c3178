"""Hostile bytes, by the ten thousand, in a process of its own with bounded memory."""
