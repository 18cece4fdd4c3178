"""`foreshock lines`: the alerts of a line as one incident."""

from __future__ import annotations

from foreshock.cli.options import BootstrapOption, ConfigOption, PrefixOption, settings_from


def run(config: ConfigOption = None, bootstrap: BootstrapOption = None, prefix: PrefixOption = None) -> None:
    """Make one incident of the alerts of a line, where the policy says group_by = "line", on incidents.v1.

    `foreshock deliver` does the same where a sink has per = "line": this is for those who read incidents.v1 themselves. Of
    several processes one does the work, the others stand by (consumer group worker.group with -lines). It may be killed at
    any time: each change stands once on incidents.v1 for whoever reads committed records.
    """
    from foreshock.streams.lines.process import run as run_process

    run_process(settings_from(config, bootstrap=bootstrap, prefix=prefix))
