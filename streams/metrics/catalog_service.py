"""The part of the catalogue that every process has, and that of delivery, cases and the cache."""

from __future__ import annotations

from foreshock.streams.metrics.model import SLUGGISH_S, Label, Metric, Owner, Process, counter, gauge, histogram, values

_ALL = tuple(Process)
_PLATFORM, _ALERTS = Owner.PLATFORM, Owner.ALERTING
_SINK = Label("sink", (), 100, "sinks of the settings")
_FILE = Label("setting", (), 2, "`ssl.ca.location` and `ssl.certificate.location` of [kafka]")
_GENERATION = values("generation", "0", "1", "2")

_DELIVERY = (
    counter(
        "foreshock_sink_deliveries_total",
        _ALERTS,
        "Transitions that a sink is done with: delivered, not wanted by its filter, or set aside as a dead letter.",
        _SINK,
        values("result", "delivered", "filtered", "dead"),
        processes=(Process.DELIVER,),
    ),
    counter(
        "foreshock_sink_attempts_total",
        _ALERTS,
        "Attempts that failed (retried), whose fate nobody knows (ambiguous), and those made after one of these (repeated).",
        _SINK,
        values("result", "retried", "ambiguous", "repeated"),
        processes=(Process.DELIVER,),
    ),
    gauge(
        "foreshock_sink_waiting",
        _ALERTS,
        "Transitions that are read and not done.",
        _SINK,
        processes=(Process.DELIVER,),
    ),
    gauge(
        "foreshock_sink_down",
        _ALERTS,
        "1 while a sink fails whatever it is given.",
        _SINK,
        processes=(Process.DELIVER,),
    ),
    gauge(
        "foreshock_sink_lag_records",
        _ALERTS,
        "Records of alerts.v1 that a sink is not done with.",
        _SINK,
        processes=(Process.DELIVER,),
    ),
    histogram(
        "foreshock_sink_delivery_seconds",
        _ALERTS,
        "From the first attempt of a transition to its end, waits between attempts included.",
        SLUGGISH_S,
        _SINK,
        processes=(Process.DELIVER,),
        exemplars=True,
    ),
    gauge(
        "foreshock_line_incidents_open",
        _ALERTS,
        "Incidents of lines that are open, where this process makes them.",
        processes=(Process.DELIVER,),
    ),
    gauge(
        "foreshock_line_leader",
        _ALERTS,
        "1 in the one process that makes the incidents of lines.",
        processes=(Process.DELIVER,),
    ),
    counter(
        "foreshock_case_parts_total",
        _ALERTS,
        "Parts of cases that were written to evidence.v1.",
        processes=(Process.CASES,),
    ),
    gauge(
        "foreshock_case_windows", _ALERTS, "Events whose raw records are being collected.", processes=(Process.CASES,)
    ),
    gauge(
        "foreshock_case_lag_records",
        _ALERTS,
        "Events of anomalies.v1 that the case writer has not read.",
        processes=(Process.CASES,),
    ),
)

_CACHE = (
    counter(
        "foreshock_cache_exchanges_total",
        _PLATFORM,
        "Exchanges with the cache: it had all that was written before (hit), had lost some of it (miss), did not answer (failed).",
        values("result", "hit", "miss", "failed"),
    ),
    counter(
        "foreshock_cache_states_total",
        _PLATFORM,
        "States of measuring points written to the cache, and left out because of its bounds.",
        values("result", "written", "dropped"),
    ),
    gauge("foreshock_cache_waiting", _PLATFORM, "States that wait to be written."),
    gauge("foreshock_cache_up", _PLATFORM, "1 while the cache answers, 0 while it does not, or where none is set."),
)

_SERVICE = (
    counter(
        "foreshock_traces_total",
        _PLATFORM,
        "Traces recorded, and ordinary ones left out because of their rate.",
        values("result", "recorded", "limited"),
    ),
    counter(
        "foreshock_spans_total",
        _PLATFORM,
        "Spans exported, dropped because a queue was full, and refused by an exporter.",
        values("result", "sent", "dropped", "failed"),
        processes=(Process.WORKER, Process.DELIVER),
    ),
    counter(
        "foreshock_metrics_exports_total",
        _PLATFORM,
        "Exports of metrics by OTLP.",
        values("result", "sent", "failed"),
        processes=_ALL,
    ),
    counter(
        "foreshock_scrapes_total",
        _PLATFORM,
        "Requests to this endpoint: served, or refused because they were too many, too slow, or not for it.",
        values("result", "served", "refused"),
        processes=_ALL,
    ),
    histogram(
        "foreshock_event_loop_delay_seconds",
        _PLATFORM,
        "How late the event loop was for a timer: the longest step that it took meanwhile.",
        (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
        processes=(Process.WORKER, Process.DELIVER),
    ),
    gauge(
        "foreshock_progress_age_seconds",
        _PLATFORM,
        "Since a batch was done, where records wait; else 0. The process ends itself at worker.stall_s.",
    ),
    gauge(
        "foreshock_certificate_expiry_timestamp_seconds",
        _PLATFORM,
        "Unix time at which the first of the certificates in a file named in [kafka] expires; none without such a file.",
        _FILE,
        processes=_ALL,
    ),
    gauge(
        "foreshock_disk_free_bytes",
        _PLATFORM,
        "Free space where worker.data_dir is.",
        processes=_ALL,
    ),
    gauge(
        "foreshock_disk_total_bytes",
        _PLATFORM,
        "Size of the file system where worker.data_dir is.",
        processes=_ALL,
    ),
    gauge(
        "foreshock_build_info",
        _PLATFORM,
        "1; its labels say what runs.",
        Label("version", (), 1, "of Foreshock"),
        Label("python", (), 1, "of the interpreter"),
        Label("worker", (), 1, "name of this process in traces and headers"),
        values("process", *(each.value for each in Process)),
        processes=_ALL,
    ),
)

# The names that every client library gives them, so that dashboards that exist read them.
_RUNTIME = (
    counter("process_cpu_seconds_total", _PLATFORM, "User and system CPU time of this process.", processes=_ALL),
    gauge("process_resident_memory_bytes", _PLATFORM, "Resident memory.", processes=_ALL),
    gauge(
        "process_start_time_seconds",
        _PLATFORM,
        "Unix time at which this process started; it changes when the supervisor restarts one.",
        processes=_ALL,
    ),
    gauge("process_open_fds", _PLATFORM, "Open files and sockets.", processes=_ALL),
    gauge("process_max_fds", _PLATFORM, "How many it may have open.", processes=_ALL),
    counter(
        "python_gc_collections_total",
        _PLATFORM,
        "Collections of Python's garbage collector.",
        _GENERATION,
        processes=_ALL,
    ),
    counter("python_gc_objects_collected_total", _PLATFORM, "Objects that it freed.", _GENERATION, processes=_ALL),
)


SERVICE: tuple[Metric, ...] = (*_DELIVERY, *_CACHE, *_SERVICE, *_RUNTIME)
