"""Signal features as pure functions on arrays."""
