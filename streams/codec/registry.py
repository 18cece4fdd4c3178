"""A Confluent-compatible schema registry: ids to schemas for inputs, schemas to ids for outputs. Each is asked once."""

from __future__ import annotations

import json
import time
from typing import Any

from foreshock.contract import Reason
from foreshock.errors import ConfigurationError, InputRejected, Unavailable
from foreshock.streams.codec.avro.schema import Schema, fullname

_NOT_FOUND_S = 30.0
_MOST = 4096
_MAX_TEXT = 1024 * 1024


class Registry:
    """Asks a registry, and remembers the answers.

    Parameters
    ----------
    url
        Of the registry; a ``mock://`` URL is a registry in this process, for tests.

    Raises
    ------
    ConfigurationError
        The extra `registry` is not installed.
    """

    def __init__(self, url: str) -> None:
        try:
            from confluent_kafka.schema_registry import SchemaRegistryClient
        except ImportError:
            raise ConfigurationError(
                "topics.registry_url needs the extra `registry`: pip install foreshock[registry]"
            ) from None
        self._client = SchemaRegistryClient.new_client({"url": url})
        self._schemas: dict[int, Schema] = {}
        self._missing: dict[int, float] = {}
        self._ids: dict[tuple[str, str], int] = {}

    def schema(self, schema_id: int) -> Schema:
        """Give the schema of an id.

        Raises
        ------
        InputRejected
            The registry does not know the id, or holds something else than Avro under it.
        Unavailable
            The registry does not answer: nothing can be said about the record.
        """
        found = self._schemas.get(schema_id)
        if found is None:
            if self._missing.get(schema_id, 0.0) > time.monotonic():
                raise _unknown(schema_id)
            if len(self._schemas) >= _MOST:
                self._schemas.clear()
            found = self._schemas[schema_id] = self._ask(schema_id)
        return found

    def register(self, subject: str, schema: Schema, *, several: bool = False) -> int:
        """Register a schema and give its id; a subject that is new is set to BACKWARD compatibility.

        Parameters
        ----------
        subject
            ``<topic>-value``.
        several
            Whether the topic carries more than one record; the subject is then ``<topic>-<full name>``.

        Raises
        ------
        ConfigurationError
            The registry refuses it: it is not compatible with what is registered.
        Unavailable
            The registry does not answer.
        """
        if several:
            subject = f"{subject.removesuffix('-value')}-{fullname(schema)}"
        text = json.dumps(schema)
        found = self._ids.get((subject, text))
        if found is None:
            found = self._ids[subject, text] = self._register(subject, text)
        return found

    def _ask(self, schema_id: int) -> Schema:
        answer = self._call(self._client.get_schema, schema_id)
        if answer is None:
            if len(self._missing) >= _MOST:
                self._missing.clear()
            self._missing[schema_id] = time.monotonic() + _NOT_FOUND_S
            raise _unknown(schema_id)
        if answer.schema_type != "AVRO" or answer.references or len(answer.schema_str or "") > _MAX_TEXT:
            fix = "register one Avro schema that holds everything it needs"
            raise InputRejected(Reason.UNKNOWN_SCHEMA, f"schema id {schema_id} is not a single Avro schema", fix=fix)
        try:
            return json.loads(answer.schema_str or "")
        except (ValueError, RecursionError):
            raise InputRejected(Reason.UNKNOWN_SCHEMA, f"schema id {schema_id} is not JSON") from None

    def _register(self, subject: str, text: str) -> int:
        from confluent_kafka.schema_registry import ConfigCompatibilityLevel, ServerConfig
        from confluent_kafka.schema_registry import Schema as RegistrySchema

        versions = self._call(self._client.get_versions, subject)
        if not versions:
            self._call(self._client.set_config, subject, ServerConfig(compatibility=ConfigCompatibilityLevel.BACKWARD))
        number = self._call(self._client.register_schema, subject, RegistrySchema(text, "AVRO"))
        if number is None:
            raise ConfigurationError(f"the registry does not take the schema of subject {subject}")
        return int(number)

    def _call(self, ask: Any, *arguments: Any) -> Any:
        """Ask the registry; None is "not there"."""
        import httpx  # what the client asks with
        from confluent_kafka.schema_registry.error import SchemaRegistryError

        try:
            return ask(*arguments)
        except SchemaRegistryError as exc:
            if exc.http_status_code == 404:
                return None
            if exc.http_status_code in {409, 422}:
                raise ConfigurationError(f"the schema registry refuses: {exc.error_message}") from exc
            raise Unavailable(f"the schema registry answers {exc.http_status_code}: {exc.error_message}") from exc
        except (httpx.HTTPError, OSError) as exc:
            raise Unavailable(f"the schema registry cannot be reached: {exc}") from exc


def _unknown(schema_id: int) -> InputRejected:
    sentence = f"the registry has no schema with the id {schema_id}"
    return InputRejected(Reason.UNKNOWN_SCHEMA, sentence, fix="register the schema, and send the id the registry gave")
