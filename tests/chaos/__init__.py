"""Faults on a real broker: numbered inputs, a verifier, and a test for each fault that the product must survive."""
