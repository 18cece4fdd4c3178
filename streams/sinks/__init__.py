"""Delivery of alerts: from `alerts.v1` to where people and systems are.

Pure: words and shapes of a transition (`words`, `shapes`, `mail`, `template`, `work_request`), what an answer means
(`answers`), which transition may go next and what is done (`order`). I/O: one file a kind of sink, `engine` drives one
sink, `source` reads the topic, `run` is the process.
"""
