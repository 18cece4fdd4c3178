"""Tests of a policy as data: a series of scores, what happens meanwhile, and the transitions that are expected of it."""
