"""Which layer is it? From vital signs that were gathered, what is wrong, where, and what says so. Pure."""
