"""The shell: the only place for I/O."""
