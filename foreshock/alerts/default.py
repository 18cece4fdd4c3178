"""The policy that holds where nobody gave one: the severities of the episodes, with a runbook that fits any machine."""

from __future__ import annotations

TEXT = """
name = "default"
owner = "maintenance"
escalation = ["maintenance lead", "plant manager"]

[[bands]]
severity = "watch"
raise_at = 1.0
clear_at = 0.8
off_delay = "1m"
respond_within = "3d"
action = "Look at it on the next round."
runbook = [
  "Open the evidence of the alert: which features changed, and since when.",
  "Compare with the operating point: load, speed, product.",
  "Look at the machine on the next round, and label the alert.",
]

[[bands]]
severity = "warning"
raise_at = 2.0
clear_at = 1.6
off_delay = "1m"
respond_within = "8h"
action = "Inspect the machine in this shift."
runbook = [
  "Check sensor, cable and mounting first.",
  "Inspect the machine: noise, temperature, leakage, lubrication.",
  "Take a measurement by hand at the same place, and attach it to the work order.",
  "Lubricate only where the hypothesis says so; watch whether the score falls within the hour.",
  "Plan the repair, and label the alert.",
]

[[bands]]
severity = "critical"
raise_at = 4.0
clear_at = 3.2
off_delay = "1m"
respond_within = "30m"
action = "Go to the machine now, and decide whether it may run on."
runbook = [
  "Go to the machine, with a second person.",
  "Reduce load or speed where the process allows it.",
  "Decide with the shift lead whether it may run on; write down who decided.",
  "Raise the work order, and label the alert.",
]
"""
