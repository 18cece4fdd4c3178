"""What the Fleet is made of, one concern a file: admission, scoring, watching, evidence, state. No I/O."""
