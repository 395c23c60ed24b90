"""Imports the module of a plugin; its exceptions do not affect other plugins."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import traceback
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from io import BytesIO, TextIOWrapper
from operator import eq
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, TextIO

from attrs import Factory, define, evolve, frozen

from nascore.errors import error_line
from nascore.plugin.guard import GUARD, OF_FILES, attempt, raised_at
from nascore.plugin.underway import WATCH, on_record
from nascore.shell import command_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nascore.plugin.plugin import Plugin


_SHOWN: Final = 60
"""Letters of a plugin's output that a remark quotes."""

_UNKNOWN: Final = object()

_WORDS: Final = 2**22
"""How far a stream of random numbers is followed to find the place where it is now, in words of 32 bits."""

_PATTERN: Final = 16
"""Words that are the same at the same place of a stream alone."""


@define
class Remarks:
    """What a plugin did to the process while its code was called, and what was put back since."""

    texts: list[str] = Factory(list)


@contextmanager
def contained() -> Iterator[Remarks]:
    """Catch what is printed inside, and put back what a process has once and the code inside changes.

    Only what this thread prints is caught.
    """
    remarks = Remarks()
    before = {one.remark: one.read() for one in _settings()}
    alone = _alone()
    caught = _Caught(sys.stdout)
    sys.stdout = caught
    try:
        yield remarks
    finally:
        text = " ".join(caught.end().split())
        sys.stdout = _open(sys.stdout)
        if text:
            remarks.texts.append(f"prints {text[:_SHOWN]!r}")
        alone = alone and _alone()
        remarks.texts.extend(one.remark for one in _settings() if _put_back(one, before, alone=alone))


def _alone() -> bool:
    """Return whether no other thread can draw random numbers; that which watches imports draws none."""
    here = threading.current_thread()
    return all(one is here or one.name == WATCH for one in threading.enumerate())


class _Caught(TextIOWrapper):
    """A standard output that keeps the text of the thread that made it, and passes on that of others."""

    def __init__(self, outside: TextIO) -> None:
        self._bytes = BytesIO()
        super().__init__(self._bytes, encoding="utf-8", errors="backslashreplace", write_through=True)
        self.outside = outside
        self._thread: int | None = threading.get_ident()

    @property
    def ended(self) -> bool:
        """Whether it catches no more: what somebody still writes to it is passed on."""
        return self._thread is None

    def end(self) -> str:
        """Catch no more; returns the text that was caught."""
        self._thread = None
        self.flush()
        return self._bytes.getvalue().decode("utf-8", "backslashreplace")

    def write(self, text: str) -> int:
        inside = threading.get_ident() == self._thread
        return super().write(text) if inside else self.outside.write(text)

    def fileno(self) -> int:
        return self.outside.fileno()


def _open(output: TextIO) -> TextIO:
    """Return an output, or what is outside of it where it catches no more: threads may end in any order."""
    while isinstance(output, _Caught) and output.ended:
        output = output.outside
    return output


@frozen(kw_only=True)
class _Setting:
    """Something that a process has once.

    Attributes:
        remark: What a plugin does that changes it.
        read: Returns its value, which can be compared.
        write: Takes a value that `read` returned.
        initial: The value that it has where the library was imported inside; unknown: it is not put back.
        same: Says whether two values are equal.
        stream: The random numbers of which it is the state; None: it is none of any.
    """

    remark: str
    read: Callable[[], Any]
    write: Callable[[Any], object]
    initial: Any = _UNKNOWN
    same: Callable[[Any, Any], bool] = eq
    stream: _Stream | None = None


@frozen(kw_only=True)
class _Stream:
    """Random numbers that all threads of a process draw from.

    Attributes:
        words: Takes a state, and returns a function that draws so many words of 32 bits from there on.
        seed: Seeds it with a whole number.
        seeded: Takes two states, and says whether it was seeded between them, and not only drawn from.
    """

    words: Callable[[Any], Callable[[int], bytes]]
    seed: Callable[[int], object]
    seeded: Callable[[Any, Any], bool]

    def renew(self, before: Any) -> None:  # noqa: ANN401 - a state
        """Seed it by what would have come after a state.

        What another thread has drawn since is not known, and would come again after the state itself.
        """
        self.seed(int.from_bytes(sha256(self.words(before)(_PATTERN)).digest()[:7]))


def _ahead(words: Callable[[Any], Callable[[int], bytes]], before: Any, now: Any) -> bool:  # noqa: ANN401 - states
    """Return whether one comes from a state to another by drawing."""
    pattern, draw, last, size = words(now)(_PATTERN), words(before), b"", 2**10
    while size <= _WORDS:
        drawn = last + draw(size)
        if pattern in drawn:
            return True
        last, size = drawn[-len(pattern) :], 2 * size
    return False


def _settings() -> Iterator[_Setting]:
    yield _Setting(remark="changes the working folder", read=_folder, write=_enter)
    yield _Setting(
        remark="seeds Python's random numbers",
        read=random.getstate,
        write=random.setstate,
        stream=_Stream(
            words=_words_of_python,
            seed=random.seed,
            seeded=lambda before, now: not _ahead(_words_of_python, before, now),
        ),
    )
    numpy: Any = sys.modules.get("numpy.random")
    if hasattr(numpy, "get_state") and numpy.get_state(legacy=False)["bit_generator"] == "MT19937":
        yield _of_numpy(numpy)
    if threading.current_thread() is threading.main_thread():  # elsewhere Python sets no handler
        yield _Setting(
            remark="takes over Ctrl-C",
            read=lambda: signal.getsignal(signal.SIGINT),
            write=lambda handler: handler is not None and signal.signal(signal.SIGINT, handler),
        )
    torch = sys.modules.get("torch")
    if hasattr(torch, "get_default_device"):  # not while it is being imported
        yield from _of_torch(torch)


def _of_torch(torch: Any) -> Iterator[_Setting]:  # noqa: ANN401 - a module, which the front does not import
    def words(state: Any) -> Callable[[int], bytes]:  # noqa: ANN401 - as `read` gives it below
        stream = torch.Generator(device="cpu")
        stream.set_state(state[1])
        drawn = partial(torch.empty, dtype=torch.int32, device="cpu")  # one word each
        return lambda count: drawn(count).random_(generator=stream).numpy().tobytes()

    def seeded(before: Any, now: Any) -> bool:  # noqa: ANN401 - the same
        if before[0] != now[0]:
            return True
        start = torch.Generator(device="cpu").manual_seed(now[0]).get_state()
        # With the seed that it had: it is now near the start, and did not come there by drawing.
        return _ahead(words, (now[0], start), now) and not _ahead(words, before, now)

    yield _Setting(
        remark="switches gradients off",
        read=torch.is_grad_enabled,
        write=torch.set_grad_enabled,
        initial=True,
    )
    yield _Setting(
        remark="changes torch's default type",
        read=torch.get_default_dtype,
        write=torch.set_default_dtype,
        initial=torch.float32,
    )
    yield _Setting(
        remark="changes torch's default device",
        read=lambda: str(torch.get_default_device()),
        write=lambda device: torch.set_default_device(None if device == "cpu" else device),
        initial="cpu",
    )
    yield _Setting(
        remark="changes torch's number of threads", read=torch.get_num_threads, write=torch.set_num_threads
    )
    yield _Setting(
        remark="seeds torch's random numbers",
        read=lambda: (torch.initial_seed(), torch.get_rng_state()),
        write=lambda state: torch.set_rng_state(state[1]),
        same=lambda one, other: one[0] == other[0] and torch.equal(one[1], other[1]),
        stream=_Stream(words=words, seed=torch.default_generator.manual_seed, seeded=seeded),
    )


def _words_of_python(state: Any) -> Callable[[int], bytes]:  # noqa: ANN401 - as `random` gives it
    stream = random.Random()  # noqa: S311 - nothing secret
    stream.setstate(state)
    return lambda count: stream.randbytes(4 * count)


def _of_numpy(module: Any) -> _Setting:  # noqa: ANN401 - a module, which the front does not import
    def words(state: Any) -> Callable[[int], bytes]:  # noqa: ANN401 - as NumPy gives it
        stream = module.RandomState()
        stream.set_state(state)
        return lambda count: stream.bytes(4 * count)

    def read() -> tuple[Any, ...]:
        name, keys, *rest = module.get_state()
        return name, tuple(keys.tolist()), *rest

    return _Setting(
        remark="seeds NumPy's random numbers",
        read=read,
        write=module.set_state,
        stream=_Stream(
            words=words,
            seed=lambda number: module.seed([number % 2**32, number // 2**32]),
            seeded=lambda before, now: not _ahead(words, before, now),
        ),
    )


def _put_back(setting: _Setting, before: dict[str, Any], *, alone: bool) -> bool:
    """Put a setting back; returns whether the code inside changed it.

    Random numbers that other threads may have drawn are not put back, or they would draw them again: they go
    on as they are, and where the code inside seeded them, from a place of their own.

    Args:
        setting: The setting.
        before: The values before, by remark.
        alone: Whether there is no other thread.
    """
    value = before.get(setting.remark, setting.initial)
    if value is _UNKNOWN or setting.same(now := setting.read(), value):
        return False
    seeded = setting.stream is None or setting.stream.seeded(value, now)
    if setting.stream is None or alone:
        setting.write(value)
    elif seeded:
        setting.stream.renew(value)
    return seeded


def _folder() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # somebody removed it
        return None


def _enter(folder: Path | None) -> None:
    if folder is not None:
        os.chdir(folder)


class BrokenError(Exception):
    """A plugin breaks a rule of loading.

    Args:
        text: Which one.
        cure: What to do about it.
    """

    def __init__(self, text: str, cure: str) -> None:
        super().__init__(text)
        self.cure = cure


def called(plugin: Plugin, work: Callable[[], Plugin]) -> Plugin:
    """Return what a step makes of a plugin whose code it calls, as :func:`or_broken` does.

    What the code prints is kept from answers, what it changes in the process is put back, and both are among
    the plugin's remarks. While it is called, its name is on record.

    Args:
        plugin: The plugin.
        work: Calls code of it.
    """
    with on_record(plugin), contained() as remarks:
        result = or_broken(plugin, work)
    new = [text for text in remarks.texts if text not in result.remarks]
    return evolve(result, remarks=(*result.remarks, *new)) if new else result


def or_broken(plugin: Plugin, work: Callable[[], Plugin]) -> Plugin:
    """Return what a step makes of a plugin, or the plugin as broken where the step raises.

    Args:
        plugin: The plugin.
        work: Calls code of it.
    """
    return attempt(work, partial(_broken, plugin))


def _broken(plugin: Plugin, error: BaseException) -> Plugin:
    if isinstance(error, BrokenError):
        return evolve(plugin, status="broken", reason=str(error), cure=error.cure)
    trace = "".join(traceback.format_exception(error))
    return evolve(plugin, status="broken", reason=_said(error), cure=_cure(plugin, error), trace=trace)


def file_module(path: Path) -> ModuleType:
    """Import a single file that holds hooks."""
    if not path.is_file():
        raise BrokenError(f"there is no file {path}", "Correct the path after --with.")
    name = f"{OF_FILES}{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise BrokenError(f"{path} is no Python file", "Give one whose name ends in .py.")
    module = module_from_spec(spec)
    # Classes of the file are looked up by the name of their module (settings' types, pickling).
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def checked_module(plugin: Plugin, module: object) -> object:
    """Return a plugin's module; one without a file is an empty folder that Python takes for a package."""
    if isinstance(module, ModuleType) and getattr(module, "__file__", None) is None:
        raise BrokenError(
            f"the package {module.__name__} is empty: it has no __init__.py", _reinstalled(plugin)
        )
    return module


def _said(error: BaseException) -> str:
    """What was raised and where, as one line."""
    raised = error_line(error)
    at = raised_at(error, but=(__file__, GUARD, "<frozen "))
    if isinstance(error, SyntaxError) or at is None or Path(at.file).parent.name == "importlib":
        return raised
    return f"{raised} ({at})"


def _cure(plugin: Plugin, error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        if error.name.partition(".")[0] == plugin.package:
            return _reinstalled(plugin)
        return f"Install what brings the module {error.name.partition('.')[0]}, which it needs."
    if plugin.is_file:
        return f"Correct {plugin.value}."
    return "Tell its authors; nascore plugins show has the traceback with --json."


def _reinstalled(plugin: Plugin) -> str:
    if not plugin.distribution:
        return "Correct its entry point."
    command = command_line("pip", "install", "--force-reinstall", plugin.distribution)
    return f"{command}; if that is no help, tell its authors."
