"""Online models: one class per file, one protocol, one check suite."""
