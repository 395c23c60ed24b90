"""Files of a run, cut off and changed bit by bit, and what is answered from them by whatever reads them."""

from __future__ import annotations

import json
import shutil
import signal
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define, field

import nascore.verbs.asking
import nascore.verbs.evaluate
from nascore.description import dump
from nascore.errors import NascoreError
from nascore.files import CHECKSUMS
from nascore.recipe import Request
from nascore.run import RECIPE, bytes_of, read
from nascore.verbs.architecture import image_of, read_architecture
from nascore.verbs.asking import ask, installed
from nascore.verbs.compare import compare
from nascore.verbs.evaluate import ask_evaluate
from nascore.verbs.gallery import architecture_of, assess
from nascore.verbs.runs import load_run, runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

LIMIT = 20
"""Seconds after which an answer counts as none."""

UNREAD = ("run.log", "job.yaml", "jobs/0001-search/result.json", "best/metrics.json")
"""Ends of the names of files that no verb reads."""


class HangError(Exception):
    """A verb did not answer in time."""


@cache
def registry() -> Any:
    return installed()


def settled(recipe: Any) -> list[str]:
    return sorted(
        f"{slot} {part.label} {part.settings}" for slot, parts in recipe.parts.items() for part in parts
    )


def readers(run: Path) -> dict[str, Callable[[], Any]]:
    """Return by name what reads a run, as the verbs do; each returns its whole answer."""
    comparison = not (run / RECIPE).is_file()
    known: dict[str, Callable[[], Any]] = {
        "runs": lambda: [(one.path.name, one.status, one.result, one.recipe) for one in runs(run.parent)],
        "compare": lambda: compare(run).plain(),
    }
    if comparison:
        return {**known, "runs in it": lambda: [(one.status, one.result) for one in runs(run)]}
    return {
        **known,
        "load_run": lambda: _loaded(run),
        "draw, export": lambda: (dump(read_architecture(run, registry())), image_of(run)),
        "draw best/architecture.yaml": lambda: dump(
            read_architecture(run / "best/architecture.yaml", registry())
        ),
        "draw --entry": lambda: [dump(architecture_of(run, one.id)) for one in read(run).gallery],
        "gallery": lambda: assess(run).hypervolume if read(run).gallery else "none",
        "metrics": lambda: read(run).metrics(),
        "evaluate": lambda: settled(ask_evaluate(run, Request()).recipe),
        "search --recipe": lambda: (
            settled(ask(Request(recipe=run / RECIPE)).recipe) if _searched(run) else "none"
        ),
        "weights": lambda: bytes_of(run / "best/weights.safetensors"),
    }


def _loaded(run: Path) -> Any:
    found = load_run(run)
    return dump(found.best), dict(found.result), found.gallery, found.recipe


def _searched(run: Path) -> bool:
    return (run / "gallery.json").exists()


@contextmanager
def one_registry() -> Iterator[None]:
    """What is installed is found once: it is no matter of the files of a run."""
    modules = (nascore.verbs.asking, nascore.verbs.evaluate)
    right = [module.installed for module in modules]
    known = registry()
    for module in modules:
        module.installed = lambda _plugins=(): known
    try:
        yield
    finally:
        for module, one in zip(modules, right, strict=True):
            module.installed = one


@contextmanager
def in_time() -> Iterator[None]:
    def stop(*_args: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LIMIT)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@define
class Tampering:
    """A run that is damaged, asked and mended again.

    Attributes:
        run: Its folder; it stands alone in the folder above.
        right: What its readers answered before.
        answers: How many were right, refused, wrong, ended with a traceback, hung.
        found: The bad ones.
    """

    run: Path
    right: dict[str, Any] = field(init=False)
    answers: dict[str, int] = field(init=False)
    found: list[str] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.answers = dict.fromkeys(("right", "refused", "wrong", "traceback", "hang"), 0)
        self.right = {name: read_it() for name, read_it in readers(self.run).items()}

    def files(self) -> list[Path]:
        """Return the files that some verb reads."""
        every = sorted(path for path in self.run.rglob("*") if path.is_file())
        return [path for path in every if not path.as_posix().endswith(UNREAD) and path.name != "model.py"]

    def reading(self, path: Path) -> list[str]:
        """Return the readers that answer otherwise, or not at all, where a file is no file any more."""
        content = path.read_bytes()
        path.write_bytes(b"\0" if path.suffix != ".yaml" else b"{")
        try:
            return [name for name in self.right if self._answer(name)[0] != "right"]
        finally:
            path.write_bytes(content)

    def tried(self, path: Path, content: bytes, names: list[str], what: str) -> None:
        """Ask the readers of a file while it has another content."""
        before = path.read_bytes()
        if content == before:
            return
        path.write_bytes(content)
        try:
            for name in names:
                kind, text = self._answer(name)
                self.answers[kind] += 1
                if kind in {"wrong", "traceback", "hang"}:
                    self.found.append(f"{kind}: {name}: {path.relative_to(self.run)} {what}: {text}")
        finally:
            path.write_bytes(before)

    def _answer(self, name: str) -> tuple[str, str]:
        try:
            with in_time():
                answer = readers(self.run)[name]()
        except NascoreError:
            return "refused", ""
        except HangError:
            return "hang", ""
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            return "traceback", f"{type(error).__name__}: {error}"
        if name in {"runs", "runs in it"} and any("unreadable" in one for one in answer):
            return "refused", ""
        return ("right", "") if answer == self.right[name] else ("wrong", f"{answer}"[:200])


def prefixes(content: bytes, most: int, random: Random) -> Iterator[tuple[bytes, str]]:
    """Yield prefixes of a content, with what they are; all where there are no more than `most`."""
    ends = range(len(content)) if len(content) <= most else sorted(random.sample(range(len(content)), most))
    for end in ends:
        yield content[:end], f"cut off at {end}"


def flips(content: bytes, count: int, random: Random) -> Iterator[tuple[bytes, str]]:
    """Yield a content with one bit changed, at random places."""
    for _ in range(count):
        bit = random.randrange(8 * len(content))
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed), f"bit {bit}"


WRONG = (
    None,
    True,
    -1,
    3.5,
    1e300,
    float("nan"),
    float("inf"),
    "",
    "\x1b[31mx\ny",
    [],
    {},
    [None],
    {"a": None},
    10**400,
)
"""What takes the place of a value."""


def rewritten(value: Any, path: str = "") -> Iterator[tuple[Any, str]]:
    """Yield a JSON value with one value in it replaced, or one key left out."""
    for wrong in WRONG:
        yield wrong, f"{path} = {wrong!r:.20}"
    if isinstance(value, dict):
        for key, inner in value.items():
            yield {k: v for k, v in value.items() if k != key}, f"{path}.{key} left out"
            for changed, text in rewritten(inner, f"{path}.{key}"):
                yield {**value, key: changed}, text
    elif isinstance(value, list):
        for place, inner in enumerate(value[:2]):
            for changed, text in rewritten(inner, f"{path}[{place}]"):
                yield [*value[:place], changed, *value[place + 1 :]], text


def values_of(path: Path) -> Iterator[tuple[bytes, str]]:
    """Yield the content of a JSON file, or of JSON lines, with one value of it replaced."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        for changed, what in rewritten(json.loads(text)):
            yield json.dumps(changed).encode(), what
        return
    first, *rest = text.splitlines(keepends=True)
    for changed, what in rewritten(json.loads(first)):
        yield f"{json.dumps(changed)}\n{''.join(rest)}".encode(), what


def unlisted(run: Path, folder: Path) -> Path:
    """Return a copy of a run as an earlier version left it: without checksums."""
    copy = Path(shutil.copytree(run, folder / run.name))
    for path in copy.rglob(CHECKSUMS):
        path.unlink()
    return copy
