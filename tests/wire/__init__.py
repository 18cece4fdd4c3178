"""Tests of the contract on the wire."""
