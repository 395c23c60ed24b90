"""Files of a run, cut off and changed bit by bit, and what is answered from them by whatever reads them.

Which files a reader opens is seen by an audit hook, not listed by hand; and a test calls each verb of the
command line with the paths of a run in the place of each parameter, so that no verb that reads is left out.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections import Counter
from contextlib import contextmanager, suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from attrs import asdict, define, field
from click.testing import CliRunner

import nascore.cli.evaluate
import nascore.comparison.sample
import nascore.description.text
import nascore.recipe.sources.files
import nascore.verbs.draw
import nascore.verbs.evaluate
import nascore.verbs.export
import nascore.verbs.resolution
from nascore.cli import main
from nascore.description import dump
from nascore.errors import NascoreError, RunFolderError
from nascore.files import CHECKSUMS
from nascore.recipe import Request
from nascore.run import CHANGES, COMPARISON, JOBS, OPENED, RECIPE, openings, read
from nascore.verbs.draw import draw
from nascore.verbs.dry_run import check
from nascore.verbs.evaluate import resolve_evaluation
from nascore.verbs.export import export
from nascore.verbs.gallery import assess
from nascore.verbs.predict import predict
from nascore.verbs.reporter import Reporter
from nascore.verbs.resolution import installed, resolve_request
from nascore.verbs.runs import compare, load_run, runs
from nascore.verbs.variants import AblationRequest, resolve_ablation
from nascore.verbs.watch import progress_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nascore.run import Record

LIMIT = 20
"""Seconds after which an answer counts as none."""

UNREAD = (
    "run.log",
    "origins.json",
    "job.yaml",
    "best/metrics.json",
    "best/model.py",
    "-search/result.json",
    "-train/result.json",
    "-evaluate/result.json",
    "-search/metrics.jsonl",
    "-train/metrics.jsonl",
    "-search/weights.safetensors",
    "-train/weights.safetensors",
)
"""Ends of the names of files that no verb reads; a test sees that these are all."""

ANSWERS = ("right", "refused", "wrong", "traceback", "hang")
REFUSED = (3, 4, 5)
"""Exit codes of the command line for what nascore refuses."""


class HangError(Exception):
    """A verb did not answer in time."""


@cache
def registry() -> Any:
    return installed()


def settled(recipe: Any) -> list[str]:
    return sorted(
        f"{slot} {part.label} {part.settings}" for slot, parts in recipe.parts.items() for part in parts
    )


def readers(run: Path, *, within: str = "") -> dict[str, Callable[[], Any]]:
    """Return by name what reads a run, as the verbs do; each returns its whole answer.

    Args:
        run: Its folder; of a comparison, the runs that it is made of are read too.
        within: What stands before the names.
    """
    if (run / COMPARISON).is_file():
        known: dict[str, Callable[[], Any]] = {
            "runs": lambda: list(map(_listed, runs(run.parent))),
            "runs RUN": lambda: list(map(_listed, runs(run))),
            "compare": lambda: compare(run).plain(),
        }
        for inner in sorted((run / JOBS).iterdir()):
            known |= readers(inner, within=f"{inner.name}: ")
        return known
    alone = {} if within else {"runs": lambda: list(map(_listed, runs(run.parent)))}
    found = {**alone, **_of_run(run), **_of_architectures(run), **_of_recipe(run)}
    return {f"{within}{name}": one for name, one in found.items()}


def _listed(one: Record) -> tuple[Any, ...]:
    metrics = None if one.fault or not one.recipe else one.metrics()
    return one.path.name, one.status, one.result, one.recipe, one.gallery, one.checked, metrics


def _of_run(run: Path) -> dict[str, Callable[[], Any]]:
    _image(run), _seen(run)  # once, while the run is whole
    return {
        "load_run": lambda: _loaded(run),
        "compare": lambda: compare(run).plain(),
        "gallery": lambda: [_assessed(run, cost) for cost in ("params", "macs")],
        "Run.predict": lambda: _predicted(run),
        "Run.predict --entry": lambda: [_predicted(run, one.id) for one in read(run).gallery],
        "predict": lambda: _prediction(run),
        "evaluate beside it": lambda: _openings(run),
        "watch": lambda: _watched(run),
    }


def _of_architectures(run: Path) -> dict[str, Callable[[], Any]]:
    """Return what reads the architectures of a run; a file is named where a folder may be."""
    known: dict[str, Callable[[], Any]] = {}
    entries = [one.id for one in read(run).gallery]
    named: list[tuple[Any, int | None]] = [(run, None), *((run, entry) for entry in entries)]
    files = sorted(path for path in run.rglob("*.yaml") if path.name not in {RECIPE, "job.yaml"})
    for target, entry in [*named, *((file, None) for file in files)]:
        words = "" if target == run else f" {target.relative_to(run)}"
        words += "" if entry is None else f" --entry {entry}"
        known[f"draw{words}"] = lambda target=target, entry=entry: _drawn(target, entry)
        notation = _notation(target, entry)
        known[f"export{words}"] = lambda target=target, entry=entry, notation=notation: export(
            target, notation, entry=entry
        )
        known[f"evaluate{words}"] = lambda target=target, entry=entry: _evaluated(run, target, entry)
    return known


def _of_recipe(run: Path) -> dict[str, Callable[[], Any]]:
    recipe = run / RECIPE
    if not (run / "gallery.json").exists() and (run / "result.json").exists():
        return {}  # that of an evaluation is no search
    above = run.parents[3 if run.parent.name == JOBS else 1]  # outside of the comparison too
    including = above / f"includes {run.parent.name} {run.name}.yaml"
    including.write_text(f"nascore: 1\ninclude: {json.dumps(str(recipe))}\n", encoding="utf-8")
    return {
        "ablate": lambda: _ablated(run),
        "check": lambda: [str(row) for row in check(Request(recipe=recipe)).recipe.rows()],
        "search --recipe": lambda: settled(resolve_request(Request(recipe=recipe)).recipe),
        "search --recipe, which includes it": lambda: settled(
            resolve_request(Request(recipe=including)).recipe
        ),
    }


def _loaded(run: Path) -> Any:
    found = load_run(run)
    return dump(found.best), dict(found.result), found.gallery, found.recipe


def _assessed(run: Path, cost: str) -> Any:
    found = assess(run, cost=cost)
    return found.hypervolume, found.front, found.record.gallery, found.unfinished


def _watched(run: Path) -> Any:
    return {name: value for name, value in asdict(progress_of(run)).items() if name not in {"age", "path"}}


def _predicted(run: Path, entry: int | None = None) -> Any:
    found = load_run(run)
    prediction = found.predict(_image(run), entry=entry)
    return prediction.logits.tolist(), prediction.names


def _prediction(run: Path) -> Any:
    prediction = predict(run, _image(run))
    return prediction.logits.tolist(), prediction.names


@cache
def _image(run: Path) -> Any:
    channels, height, width = json.loads((run / "environment.json").read_bytes())["image"]
    return torch.linspace(0, 1, channels * height * width).reshape(channels, height, width)


def _drawn(target: Path, entry: int | None) -> Any:
    drawing = draw(target, entry=entry)
    return dump(drawing.description), drawing.text, drawing.counted


@lru_cache(maxsize=1000)
def _notation(target: Path, entry: int | None) -> str:
    """Return the notation that can say an architecture, of those that are installed."""
    for name in ("nb201", "genotype"):
        with suppress(NascoreError):
            export(target, name, entry=entry)
            return name
    return "network"


def _evaluated(run: Path, target: Path, entry: int | None) -> Any:
    recipe = None if target == run else run / RECIPE
    asked = resolve_evaluation(target, Request(recipe=recipe), entry=entry)
    return settled(asked.recipe), dump(asked.description)


def _ablated(run: Path) -> Any:
    asked = AblationRequest(request=Request(), switch=("training.label_smoothing",))
    found = resolve_ablation(run, asked, entry=None, plugins=(), reporter=Reporter())
    return [settled(one.member.recipe) for one in found.members], dump(found.description)


def _openings(run: Path) -> Any:
    """Return which runs beside a new one tested what this run tested; the true values are asked for."""
    seen = _seen(run)
    if seen is None:
        return None
    found = openings(run.parent / "new", seen[0], seen[1])
    if found.unread:  # a warning names them
        raise RunFolderError("unread")
    return found.found


@cache
def _seen(run: Path) -> tuple[list[str], str] | None:
    lines = (run / CHANGES).read_text(encoding="utf-8").splitlines() if (run / CHANGES).exists() else []
    found = [one for one in map(json.loads, lines) if one["event"] == OPENED]
    return (found[0]["architecture"], found[0]["data"]) if found else None


def commands(run: Path) -> dict[str, list[str]]:
    """Return by name the command lines that read a run; with each, how a run is shown is asked too."""
    if (run / COMPARISON).is_file():
        words = [["runs", run.parent], ["runs", run], ["compare", run], ["compare", run, "--json"]]
    else:
        words = [
            *(["runs", run.parent, *how] for how in ([], ["--json"])),
            *(["gallery", run, *how] for how in ([], ["--json"])),
            ["compare", run],
            ["draw", run],
            ["draw", run, "--entry", 1],
            ["draw", run / "best/architecture.yaml"],
            ["export", run, "--to", _notation(run, None)],
            ["evaluate", run],
            ["search", "--recipe", run / RECIPE, "--dry-run"],
            ["check", run / RECIPE],
        ]
    lines = [[str(word) for word in line] for line in words]
    return {f"nascore {' '.join(line).replace(str(run), 'RUN')}": line for line in lines}


def typed(words: list[str]) -> tuple[int, str]:
    """Type a command line; return its exit code and what it printed.

    Raises:
        RunFolderError: It was refused.
        AssertionError: It ended unexpectedly.
    """
    result = CliRunner().invoke(main, words)
    if result.exit_code in REFUSED:
        raise RunFolderError(result.stderr)
    if result.exit_code or "Traceback" in result.stderr:
        raise AssertionError(f"exit {result.exit_code}: {result.stderr}{result.exception!r}")
    return result.exit_code, result.stdout


@contextmanager
def one_registry() -> Iterator[None]:
    """What is installed is found once, and a text parsed once: neither is a matter of the files of a run.

    Nothing is trained: `evaluate` on the command line ends where it would begin.
    """
    known = registry()
    parse = lru_cache(maxsize=256)(nascore.config.parse_document)
    patches: list[tuple[Any, str, Any]] = [
        *(
            (module, "installed", lambda _plugins=(): known)
            for module in (
                nascore.verbs.resolution,
                nascore.verbs.draw,
                nascore.verbs.evaluate,
                nascore.verbs.export,
            )
        ),
        *(
            (module, "parse_document", parse)
            for module in (nascore.comparison.sample, nascore.description.text, nascore.recipe.sources.files)
        ),
        (nascore.verbs.evaluate, "run_evaluation", _untrained),
    ]
    right = [(module, name, getattr(module, name)) for module, name, _ in patches]
    try:
        for module, name, value in patches:
            setattr(module, name, value)
        yield
    finally:
        for module, name, value in right:
            setattr(module, name, value)


def _untrained(*_args: object, **_named: object) -> None:
    sys.stdout.write("here it would be trained\n")
    raise SystemExit(0)


_OPENED: list[Counter[str]] = []


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if _OPENED and event == "open" and isinstance(args[0], (str, os.PathLike)):
        _OPENED[-1][os.path.abspath(args[0])] += 1  # noqa: PTH100 - without following links


sys.addaudithook(_hook)


@contextmanager
def opening() -> Iterator[Counter[str]]:
    """Count how often each file is opened."""
    _OPENED.append(Counter())
    try:
        yield _OPENED[-1]
    finally:
        _OPENED.pop()


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
        typing: Whether it is asked by the command line, instead of by the functions beneath.
        readers: What reads it, by name.
        right: What its readers answered before; of one that refused, None.
        opened: How often each reader opened each file.
        answers: How many were right, refused, wrong, ended with a traceback, hung.
        found: The bad ones.
    """

    run: Path
    typing: bool = False
    readers: dict[str, Callable[[], Any]] = field(init=False)
    right: dict[str, Any] = field(factory=dict)
    opened: dict[str, Counter[str]] = field(factory=dict)
    answers: Counter[str] = field(factory=Counter)
    found: list[str] = field(factory=list)
    _ticks: int = 0

    def __attrs_post_init__(self) -> None:
        lines = commands(self.run) if self.typing else {}
        self.readers = (
            {name: lambda words=words: typed(words) for name, words in lines.items()}
            if self.typing
            else readers(self.run)
        )
        for name, read_it in self.readers.items():
            with opening() as self.opened[name]:
                try:
                    self.right[name] = read_it()
                except NascoreError:
                    self.right[name] = None

    def files(self) -> list[Path]:
        """Return the files that some reader opens."""
        every = sorted(path for path in self.run.rglob("*") if path.is_file())
        return [path for path in every if self.reading(path)]

    def reading(self, path: Path) -> list[str]:
        """Return the readers that open a file."""
        return [name for name, seen in self.opened.items() if seen[str(path)]]

    @contextmanager
    def damaging(self, path: Path) -> Iterator[Callable[[bytes, str], None]]:
        """Give what asks the readers of a file while it has another content; mend it in the end."""
        before, names, at = path.read_bytes(), self.reading(path), path.relative_to(self.run)
        seen = path.stat().st_mtime_ns

        def tried(content: bytes, what: str) -> None:
            if content == before:
                return
            path.write_bytes(content)
            # Two writes within a tick of the disk's clock would have the same time.
            self._ticks += 1
            os.utime(path, ns=(seen, seen + self._ticks))
            for name in names:
                kind, text = self._answer(name)
                self.answers[kind] += 1
                if kind in {"wrong", "traceback", "hang"}:
                    self.found.append(f"{kind}: {name}: {at} {what}: {text}")

        try:
            yield tried
        finally:
            path.write_bytes(before)

    def _answer(self, name: str) -> tuple[str, str]:
        try:
            with in_time():
                answer = self.readers[name]()
        except NascoreError:
            return "refused", ""
        except HangError:
            return "hang", ""
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            return "traceback", f"{type(error).__name__}: {error}"
        if answer == self.right[name]:
            return "right", ""
        if "runs" in name and "unreadable" in str(answer):
            return "refused", ""
        return "wrong", f"{answer}"[:200]


def unlisted(run: Path, folder: Path) -> Path:
    """Return a copy of a run as an earlier version left it: without checksums."""
    copy = Path(shutil.copytree(run, folder / run.name))
    for path in copy.rglob(CHECKSUMS):
        path.unlink()
    return copy
