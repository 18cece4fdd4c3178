"""Feature vectors as one file: Parquet or Avro, by its ending, with the units of all features in the file's metadata.

Which columns and units there are is known when the last vector has come. So vectors go to a draft beside the file first,
and from there to the file, some at a time: memory does not grow with their number. The file appears when it is whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from foreshock.errors import ConfigurationError
from foreshock.signals import FeatureVector
from foreshock.streams.cases.bytes import body_of
from foreshock.streams.codec import schemas
from foreshock.streams.codec.avro import container
from foreshock.streams.codec.encode import Encoder
from foreshock.streams.codec.outputs_in import decode_output
from foreshock.streams.errands.vector_table import Layout

ENDINGS = (".parquet", ".avro")
_ROWS = 1_000  # of the table that are in memory at once
_SIZE = 4  # bytes of the length before each record of the draft


class VectorFile:
    """Writes a file of feature vectors, when it is left without an error.

    Parameters
    ----------
    out
        Ends with .parquet or .avro; a file that is there is replaced.

    Raises
    ------
    ConfigurationError
        Another ending, a folder that cannot be written to, or the extra `parquet` is missing.
    """

    def __init__(self, out: Path) -> None:
        if out.suffix not in ENDINGS:
            raise ConfigurationError(f"{out}: unknown kind of file; known: {', '.join(ENDINGS)}")
        if out.suffix == ".parquet":
            require_pyarrow()
        self._out = out
        self._draft = out.with_name(f".{out.name}.draft")
        self._whole = out.with_name(f".{out.name}.whole")
        self._encode = Encoder().encode
        self._layout = Layout()
        try:
            self._spool: BinaryIO = self._draft.open("wb")
        except OSError as exc:
            raise ConfigurationError(f"{out}: {exc.strerror}") from exc
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the file, unless something went wrong; the drafts go away."""
        self._spool.close()
        try:
            if kind is None:
                write = self._parquet if self._out.suffix == ".parquet" else self._avro
                write()
                self._whole.replace(self._out)
        finally:
            self._draft.unlink(missing_ok=True)
            self._whole.unlink(missing_ok=True)

    def add(self, vector: FeatureVector) -> None:
        """Take a vector."""
        value = self._encode(vector)
        self._layout.take(decode_output(value)["record"])
        self._spool.write(len(value).to_bytes(_SIZE, "big") + value)
        self.count += 1

    def _drafted(self) -> Iterator[bytes]:
        with self._draft.open("rb") as draft:
            while size := draft.read(_SIZE):
                yield draft.read(int.from_bytes(size, "big"))

    def _parquet(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = self._layout.schema()
        rows: list[dict[str, Any]] = []
        with pq.ParquetWriter(self._whole, schema, compression="zstd") as writer:
            for value in self._drafted():
                rows += self._layout.rows(decode_output(value)["record"])
                if len(rows) >= _ROWS:
                    writer.write_table(pa.Table.from_pylist(rows, schema=schema))
                    rows = []
            if rows:
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))

    def _avro(self) -> None:
        bodies = (body_of(value) for value in self._drafted())
        with self._whole.open("wb") as file:
            schema = schemas.current()["FeatureVector"].schema
            file.writelines(container.write(schema, self._layout.metadata(), bodies))


def require_pyarrow() -> None:
    """Make sure that Parquet files can be written.

    Raises
    ------
    ConfigurationError
        The extra `parquet` is missing.
    """
    try:
        import pyarrow  # noqa: F401, ICN001  # whether it is there is asked before anything is read
    except ImportError:
        raise ConfigurationError("Parquet files need the extra `parquet`: pip install foreshock[parquet]") from None
