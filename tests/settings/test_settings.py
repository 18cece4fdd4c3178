"""The settings: precedence, strictness, secrets. `bad/*.toml` stand beside the message that each must give."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.errors import ConfigurationError
from foreshock.settings import KafkaSettings, RedisSettings, Settings, TopicSettings, load

BAD = sorted((Path(__file__).parent / "bad").glob("*.toml"))


def settings_of(tmp_path, text="", env=None, flags=None):
    file = tmp_path / "foreshock.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, env or {}, flags or {})


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad_file_gives_all_its_errors_with_their_lines(path, monkeypatch):
    """Every error of a file is told at once, each with file and line."""
    monkeypatch.chdir(path.parent)

    with pytest.raises(ConfigurationError) as caught:
        load(Path(path.name), {})

    expected = path.with_suffix(".expected").read_text(encoding="utf-8").strip()
    assert str(caught.value) == expected


class TestPrecedence:
    """Flags over environment over file over defaults."""

    def test_defaults_hold_when_nothing_is_given(self, tmp_path, monkeypatch):
        """Without a file, environment or flags the settings are the defaults."""
        monkeypatch.chdir(tmp_path)

        assert load(None, {}) == Settings()

    def test_lists_are_lists_in_the_file_and_texts_with_commas_in_the_environment(self, tmp_path):
        """A list of the file gives way to the environment, where commas part it; other things are refused."""
        text = '[alerts]\npolicies = ["site", "pumps.toml"]\n'

        assert settings_of(tmp_path, text).alerts.policies == ("site", "pumps.toml")
        assert settings_of(tmp_path, text, {"FORESHOCK_ALERTS__POLICIES": "a, b"}).alerts.policies == ("a", "b")
        with pytest.raises(
            ConfigurationError, match=r"foreshock\.toml:2: alerts\.policies must be a list of texts, not 7"
        ):
            settings_of(tmp_path, "[alerts]\npolicies = 7\n")

    def test_file_in_the_working_directory_is_found(self, tmp_path, monkeypatch):
        """`foreshock.toml` in the working directory is read without being named."""
        monkeypatch.chdir(tmp_path)
        Path("foreshock.toml").write_text("[topics]\npartitions = 8\n", encoding="utf-8")

        assert load(None, {}).topics.partitions == 8

    @pytest.mark.parametrize(
        ("env", "flags", "expected"),
        [
            ({}, {}, "file."),
            ({"FORESHOCK_TOPICS__PREFIX": "env."}, {}, "env."),
            ({"FORESHOCK_TOPICS__PREFIX": "env."}, {"topics.prefix": "flag."}, "flag."),
            ({"FORESHOCK_TOPICS__PREFIX": "env."}, {"topics.prefix": None}, "env."),
        ],
    )
    def test_the_nearer_source_wins(self, tmp_path, env, flags, expected):
        """A flag beats the environment, the environment beats the file; a flag of None was not given."""
        assert settings_of(tmp_path, '[topics]\nprefix = "file."\n', env, flags).topics.prefix == expected

    def test_sources_add_up_key_by_key(self, tmp_path):
        """A higher source replaces single keys, not whole sections; that holds for librdkafka properties too."""
        settings = settings_of(
            tmp_path,
            '[kafka]\nbootstrap = "a:1"\nsecurity.protocol = "SASL_SSL"\n"sasl.username" = "file"\n',
            {"FORESHOCK_KAFKA__SASL_USERNAME": "env", "FORESHOCK_WORKER__BATCH": "64"},
            {"worker.processes": 2},
        )

        assert settings.kafka.bootstrap == "a:1"
        assert dict(settings.kafka.properties) == {"security.protocol": "SASL_SSL", "sasl.username": "env"}
        assert (settings.worker.batch, settings.worker.processes) == (64, 2)


class TestFraming:
    """How values are framed, where the settings do not say."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", "single-object"),
            ('registry_url = "http://r:8081"', "confluent"),
            ('registry_url = "http://r:8081"\nframing = "single-object"', "single-object"),
            ('framing = "json"', "json"),
        ],
    )
    def test_a_registry_decides_unless_the_settings_say(self, tmp_path, text, expected):
        """With a registry, tools that know only its framing read the outputs without another setting."""
        assert settings_of(tmp_path, f"[topics]\n{text}\n").topics.value_framing == expected


class TestTypes:
    """Values are converted by their declared type, and by nothing else."""

    def test_text_of_the_environment_becomes_typed(self, tmp_path):
        """Booleans, whole numbers, numbers and paths are read from text."""
        settings = settings_of(
            tmp_path,
            env={
                "FORESHOCK_TOPICS__CREATE": "false",
                "FORESHOCK_TOPICS__PARTITIONS": "12",
                "FORESHOCK_DETECTION__BUDGET": "0.5",
                "FORESHOCK_WORKER__DATA_DIR": "~/state",
            },
        )

        assert settings.topics.create is False
        assert settings.topics.partitions == 12
        assert settings.detection.budget == 0.5
        assert settings.worker.data_dir == Path.home() / "state"

    def test_properties_become_the_text_librdkafka_takes(self, tmp_path):
        """TOML booleans and numbers among the librdkafka properties are written as librdkafka wants them."""
        settings = settings_of(
            tmp_path, "[kafka]\nenable.ssl.certificate.verification = false\nsocket.timeout.ms = 9\n"
        )

        assert settings.kafka.librdkafka() == {
            "bootstrap.servers": "127.0.0.1:9092",
            "enable.ssl.certificate.verification": "false",
            "socket.timeout.ms": "9",
        }

    @given(st.text(max_size=40))
    def test_any_text_is_a_value_or_one_clear_error(self, text):
        """Whatever stands in the environment, `load` gives settings or a ConfigurationError that names the variable."""
        outcome = ""
        try:
            outcome = load(None, {"FORESHOCK_TELEMETRY__SAMPLE_RATIO": text})
        except ConfigurationError as exc:
            outcome = str(exc)

        if isinstance(outcome, str):
            assert "FORESHOCK_TELEMETRY__SAMPLE_RATIO" in outcome
        else:
            assert 0 <= outcome.telemetry.sample_ratio <= 1

    @pytest.mark.parametrize(
        ("env", "message"),
        [
            ({"FORESHOCK_TOPICS__PARTITONS": "4"}, "did you mean partitions?"),
            ({"FORESHOCK_TOPIC__PARTITIONS": "4"}, "did you mean topics?"),
            ({"FORESHOCK_TOPICS_PARTITIONS": "4"}, "write FORESHOCK_TOPICS__PARTITIONS"),
            ({"FORESHOCK_TOPICS__CREATE": "yes"}, "must be true or false"),
            ({"FORESHOCK_KAFKA__GROUP_ID": "mine"}, "set worker.group"),
        ],
    )
    def test_a_wrong_variable_is_answered_with_the_fix(self, tmp_path, env, message):
        """A variable that is not a setting is never ignored: the error says what was meant."""
        with pytest.raises(ConfigurationError, match=message):
            settings_of(tmp_path, env=env)

    def test_variables_of_others_are_left_alone(self, tmp_path):
        """A FORESHOCK_ variable without a section belongs to somebody else (the tests' FORESHOCK_DATA)."""
        assert settings_of(tmp_path, env={"FORESHOCK_DATA": "/data"}) == Settings()


class TestSecrets:
    """Secrets come by file and never stand in a repr."""

    def test_secret_is_read_from_its_file(self, tmp_path):
        """`sasl.password.file` gives `sasl.password`; the line break at the end is not part of it."""
        (tmp_path / "secret").write_text("p4ss w0rd\n", encoding="utf-8")
        settings = settings_of(tmp_path, f'[kafka]\nsasl.password.file = "{tmp_path}/secret"\n')

        assert settings.kafka.librdkafka()["sasl.password"] == "p4ss w0rd"
        assert "sasl.password.file" not in settings.kafka.librdkafka()
        assert "p4ss" not in repr(settings)

    def test_property_of_librdkafka_that_ends_in_file_is_passed_on(self, tmp_path):
        """A property that librdkafka itself calls `.file` is not taken for a secret's file."""
        name = "sasl.oauthbearer.assertion.private.key.file"
        settings = settings_of(tmp_path, f'[kafka]\n"{name}" = "/key.pem"\n')

        assert settings.kafka.librdkafka()[name] == "/key.pem"

    def test_missing_file_is_named(self, tmp_path):
        """A secret's file that is not there is one clear error."""
        settings = settings_of(tmp_path, f'[kafka]\nssl.key.password.file = "{tmp_path}/none"\n')

        with pytest.raises(ConfigurationError, match=r"kafka\.ssl\.key\.password\.file: cannot read .*none"):
            settings.kafka.librdkafka()

    def test_url_with_a_password_is_read_from_a_file(self, tmp_path):
        """`redis.url_file` gives `redis.url`."""
        (tmp_path / "url").write_text("redis://:hush@cache:6379/0\n", encoding="utf-8")
        settings = settings_of(tmp_path, f'[redis]\nurl_file = "{tmp_path}/url"\n')

        assert settings.redis.url == "redis://:hush@cache:6379/0"
        assert "hush" not in repr(settings)

    @given(st.text(st.characters(exclude_characters="/@*", categories=["L", "N"]), min_size=4))
    def test_no_repr_holds_a_secret(self, secret):
        """Whatever the password is, the reprs show *** in its place."""
        url = f"scheme://user:pw-{secret}@host:1"
        shown = [
            repr(KafkaSettings(properties={"sasl.password": f"pw-{secret}", "sasl.username": "user"})),
            repr(RedisSettings(url=url)),
            repr(TopicSettings(registry_url=url)),
        ]

        assert all(f"pw-{secret}" not in text and "***" in text for text in shown)
