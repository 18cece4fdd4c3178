"""Outcomes: what became of the alerts, from alerts, labels and work orders. Pure.

`report.py` puts it together; `incidents.py` and `work.py` fold records to alerts and jobs, `verdicts.py` joins them, and
`bounds.py` says how sure a figure is.
"""
