"""A bucket of object storage, under one prefix: whole objects by their names, and what went wrong in sentences."""

import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from pyarrow import fs

from app.lake.storage import LakeDamagedError
from app.redaction import never_log

# A small object takes as long as its way there and back: many travel at once.
_AT_ONCE = 16
_PIECE = 1 << 22
T = TypeVar("T")
_OPTIONS = {"endpoint_override", "region", "scheme"}


class BucketError(LakeDamagedError):
    """The bucket did not do what it was asked to."""


@dataclass(frozen=True)
class Stored:
    """An object as the bucket lists it; `modified` is in seconds since 1970."""

    size: int
    modified: float


class Bucket:
    """The objects below the address of SIGHTLINE_LAKE. An object is there whole or not at all."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        never_log(*filter(None, (parts.username, parts.password, unquote(parts.password or ""))))
        self.shown = f"{parts.scheme}://{parts.hostname}{parts.path.rstrip('/')}"
        self._root = f"{parts.hostname}{parts.path}".rstrip("/")
        with self._told("opened"):
            self._files = _s3(url) if parts.scheme == "s3" else fs.FileSystem.from_uri(url)[0]

    def read(self, name: str) -> bytes | None:
        """What is in an object; None where there is none."""
        with self._told("read"):
            try:
                with self._files.open_input_stream(self._place(name)) as stream:
                    content: bytes = stream.read()
            except FileNotFoundError:
                return None
        return content

    def write(self, name: str, content: bytes) -> None:
        """Put an object in its place, also over an older one."""
        with self._told("written"), self._files.open_output_stream(self._place(name)) as stream:
            stream.write(content)

    def upload(self, folder: Path, names: Iterable[str]) -> None:
        """Copy files below a folder to their places here."""
        self._all(lambda name: self._copied(folder / name, name), names)

    def download(self, folder: Path, names: Iterable[str]) -> None:
        """Copy objects to their places below a folder, each whole or not at all, also after a power cut."""
        self._all(lambda name: self._fetched(name, folder / name), names)

    def objects(self, *under: str) -> dict[str, Stored]:
        """The objects in folders; in all where none is named."""
        found: dict[str, Stored] = {}
        for listed in self._all(self._listed, under or ("",)):
            found |= listed
        return found

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects; one that is gone already is no error."""

        def deleted(name: str) -> None:
            with self._told("deleted"):
                try:
                    self._files.delete_file(self._place(name))
                except FileNotFoundError:
                    return

        self._all(deleted, names)

    def _place(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _copied(self, path: Path, name: str) -> None:
        with (
            path.open("rb") as file,
            self._told("written"),
            self._files.open_output_stream(self._place(name)) as stream,
        ):
            while piece := file.read(_PIECE):
                stream.write(piece)

    def _fetched(self, name: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            with beside.open("wb") as file:
                self._poured(name, file)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)

    def _poured(self, name: str, file: IO[bytes]) -> None:
        with self._told("read"), self._files.open_input_stream(self._place(name)) as stream:
            while piece := stream.read(_PIECE):
                file.write(piece)

    def _listed(self, folder: str) -> dict[str, Stored]:
        selector = fs.FileSelector(f"{self._root}/{folder}".rstrip("/"), recursive=True, allow_not_found=True)
        with self._told("listed"):
            return {
                info.path[len(self._root) + 1 :]: Stored(info.size, info.mtime.timestamp())
                for info in self._files.get_file_info(selector)
                if info.type == fs.FileType.File
            }

    @staticmethod
    def _all(task: Callable[[str], T], names: Iterable[str]) -> list[T]:
        """Many at once; after the first error what has not begun is left."""
        listed = list(names)
        if not listed:
            return []
        with ThreadPoolExecutor(min(_AT_ONCE, len(listed))) as pool:
            try:
                return list(pool.map(task, listed))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    @contextmanager
    def _told(self, done: str) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:
            said = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
            raise BucketError(
                f"The lake in {self.shown} can't be {done}.",
                why=f"The object storage or the way to it says: {said}.",
                fix="Check that it answers, SIGHTLINE_LAKE, and the credentials (as AWS tools read them); "
                "what was published stays, and the next refresh goes on from there.",
            ) from error


def _s3(url: str) -> fs.S3FileSystem:
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    if unknown := sorted(options.keys() - _OPTIONS):
        raise ValueError(f"of the parameters {', '.join(sorted(_OPTIONS))} alone, not {', '.join(unknown)}")
    return fs.S3FileSystem(
        access_key=unquote(parts.username) if parts.username else None,
        secret_key=unquote(parts.password) if parts.password else None,
        # One request for what is small.
        allow_delayed_open=True,
        **options,
    )
