"""Alerts: what the policy makes of scores, and what people make of alerts. Pure, like the rest of the core."""
