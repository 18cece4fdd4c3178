"""Collector, Prometheus, Jaeger and Grafana: their files fit together and fit docker-compose.yml.

No Docker was at hand. The collector's configuration was checked with the collector's own `validate` and run once with spans
and metrics of the OpenTelemetry SDK (docs/sre.md); its program comes from no package registry, so here its shape is checked.
"""

import re

from tests.infra.known import OTHERS, load, series

COLLECTOR = load("infra/otel/collector.yaml")
SERVICES = load("docker-compose.yml")["services"]
PIPELINES = COLLECTOR["service"]["pipelines"]
JOBS = {job["job_name"]: job for job in load("infra/prometheus/prometheus.yml")["scrape_configs"]}
OBSERVABILITY = {name: service for name, service in SERVICES.items() if "observability" in service.get("profiles", [])}


def targets(job):
    """What a job of Prometheus asks."""
    return [target for static in JOBS[job]["static_configs"] for target in static["targets"]]


class TestCollector:
    """infra/otel/collector.yaml."""

    def test_pipelines_use_what_is_declared(self):
        """Each receiver, processor and exporter of a pipeline is declared, and each declared part is used."""
        connectors = set(COLLECTOR["connectors"])
        used = {
            kind: {name for line in PIPELINES.values() for name in line[kind]}
            for kind in ("receivers", "processors", "exporters")
        }

        assert used["receivers"] - connectors == set(COLLECTOR["receivers"])
        assert used["processors"] == set(COLLECTOR["processors"])
        assert used["exporters"] - connectors == set(COLLECTOR["exporters"])
        assert connectors <= used["receivers"] & used["exporters"]

    def test_memory_is_limited_before_anything_is_held(self):
        """The limiter is the first processor of every pipeline and the batches come last, as the collector's authors ask."""
        assert [name for name, line in PIPELINES.items() if line["processors"] != ["memory_limiter", "batch"]] == []

    def test_traces_go_to_jaeger_and_metrics_to_prometheus(self):
        """Spans arrive by OTLP over gRPC and HTTP, leave to Jaeger, and are counted for Prometheus with exemplars."""
        assert set(COLLECTOR["receivers"]["otlp"]["protocols"]) == {"grpc", "http"}
        assert PIPELINES["traces"]["exporters"] == ["otlphttp/jaeger", "spanmetrics"]
        assert PIPELINES["metrics"]["receivers"] == ["otlp", "spanmetrics"]
        assert PIPELINES["metrics"]["exporters"] == ["prometheus"]
        assert COLLECTOR["exporters"]["otlphttp/jaeger"]["endpoint"] == "http://jaeger:4318"
        assert COLLECTOR["exporters"]["prometheus"]["enable_open_metrics"] is True
        assert COLLECTOR["connectors"]["spanmetrics"]["exemplars"]["enabled"] is True

    def test_names_of_span_metrics_are_those_that_queries_may_use(self):
        """Namespace and unit of the connector make the names that a dashboard would ask for."""
        connector = COLLECTOR["connectors"]["spanmetrics"]
        namespace = connector["namespace"].replace(".", "_")
        labels = {each["name"].replace(".", "_") for each in connector["dimensions"]}

        assert {name for name in OTHERS if name.startswith("traces_")} == {
            f"{namespace}_calls_total",
            f"{namespace}_duration_seconds_bucket",
        }
        assert connector["histogram"]["unit"] == "s"
        assert labels <= OTHERS[f"{namespace}_calls_total"].labels


class TestPrometheus:
    """infra/prometheus/prometheus.yml."""

    def test_targets_are_services_and_ports_that_listen(self):
        """Each target is a service of compose, and the collector's ports are those that it opens."""
        reader = COLLECTOR["service"]["telemetry"]["metrics"]["readers"][0]["pull"]["exporter"]["prometheus"]
        hosts = {target.split(":")[0] for job in JOBS for target in targets(job)}

        assert hosts <= set(SERVICES) | {"localhost"}
        assert targets("otel-collector") == [
            f"otel-collector:{COLLECTOR['exporters']['prometheus']['endpoint'].rsplit(':', 1)[1]}"
        ]
        assert targets("otel-collector-self") == [f"otel-collector:{reader['port']}"]

    def test_names_that_came_by_otlp_keep_their_sender(self):
        """What a worker sent keeps its own job and instance, as if it had been scraped."""
        assert JOBS["otel-collector"]["honor_labels"] is True

    def test_it_keeps_as_long_as_the_promises_run(self):
        """30 days of the service levels need more than the 15 that are the default, and exemplars are kept at all."""
        command = SERVICES["prometheus"]["command"]
        kept = next(part for part in command if "retention.time" in part)

        assert int(re.search(r"=(\d+)d", kept)[1]) > 30
        assert "--enable-feature=exemplar-storage" in command
        assert any(name.endswith("rate30d") for name in series())

    def test_rules_are_where_the_configuration_says(self):
        """The whole folder is mounted, so that the relative `rule_files` hold there as here."""
        assert "./infra/prometheus:/etc/prometheus:ro" in SERVICES["prometheus"]["volumes"]
        assert load("infra/prometheus/prometheus.yml")["rule_files"] == ["rules/*.yaml"]


class TestCompose:
    """The profile `observability`."""

    def test_profile_has_the_four(self):
        """Collector, Jaeger of the second generation, Prometheus and Grafana; nothing of them starts without the profile."""
        assert set(OBSERVABILITY) == {"otel-collector", "jaeger", "prometheus", "grafana"}
        assert re.fullmatch(r"jaegertracing/jaeger:2\.\d+\.\d+", SERVICES["jaeger"]["image"])

    def test_health_is_checked_where_there_is_something_to_check_it_with(self):
        """All but the collector, whose image holds no shell; an alert watches that."""
        assert {name for name, service in OBSERVABILITY.items() if "healthcheck" not in service} == {"otel-collector"}
        assert 'up{job=~"otel-collector.*"} == 0' in [
            rule["expr"]
            for group in load("infra/prometheus/rules/telemetry.yaml")["groups"]
            for rule in group["rules"]
            if rule.get("alert") == "ForeshockCollectorDown"
        ]

    def test_what_is_scraped_sends_no_metrics_as_well(self):
        """Each of our services that Prometheus asks listens where it is asked, and keeps its metrics from the collector."""
        asked = {target.partition(":")[::2] for job in JOBS if job.startswith("foreshock-") for target in targets(job)}
        listens = {"worker": "FORESHOCK_METRICS__LISTEN", "deliver": "FORESHOCK_METRICS__DELIVER_LISTEN"}

        assert {name for name, _ in asked} == set(listens)
        for name, port in asked:
            assert SERVICES[name]["environment"][listens[name]] == f"0.0.0.0:{port}"
            assert SERVICES[name]["environment"]["OTEL_METRICS_EXPORTER"] == "none"
            assert not any(each.endswith(f":{port}") for each in SERVICES[name].get("ports", []))

    def test_data_sources_are_services(self):
        """Grafana's data sources name services of compose and the ports that those are known by."""
        sources = load("infra/grafana/provisioning/datasources/foreshock.yaml")["datasources"]

        assert {source["uid"]: source["url"] for source in sources} == {
            "prometheus": "http://prometheus:9090",
            "jaeger": "http://jaeger:16686",
        }

    def test_nobody_is_administrator_of_grafana(self):
        """Whoever reaches the port may look; no account has a password that everybody knows."""
        environment = SERVICES["grafana"]["environment"]

        assert environment["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
        assert environment["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
