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
"""The largest number of characters of a plugin's output in a remark."""

_UNKNOWN: Final = object()

_WORDS: Final = 2**22
"""How far a random stream is followed to find its current position, in words of 32 bits."""

_PATTERN: Final = 16
"""The number of words that identify a position of a random stream."""


@define
class Remarks:
    """The changes of the process by a plugin's code, which are undone."""

    texts: list[str] = Factory(list)


@contextmanager
def contained() -> Iterator[Remarks]:
    """Catch the output of the code inside, and undo its changes of process-wide settings.

    Only output of this thread is caught.
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
        sys.stdout = _without_ended(sys.stdout)
        if text:
            remarks.texts.append(f"prints {text[:_SHOWN]!r}")
        alone = alone and _alone()
        remarks.texts.extend(one.remark for one in _settings() if _restore(one, before, alone=alone))


def _alone() -> bool:
    """Return whether no other thread can draw random numbers; the thread that watches imports draws none."""
    here = threading.current_thread()
    return all(one is here or one.name == WATCH for one in threading.enumerate())


class _Caught(TextIOWrapper):
    """A standard output that keeps the text of its own thread, and passes on that of other threads."""

    def __init__(self, outside: TextIO) -> None:
        self._bytes = BytesIO()
        super().__init__(self._bytes, encoding="utf-8", errors="backslashreplace", write_through=True)
        self.outside = outside
        self._thread: int | None = threading.get_ident()

    @property
    def ended(self) -> bool:
        """Whether it has ended: all text is passed on."""
        return self._thread is None

    def end(self) -> str:
        """End catching, and return the caught text."""
        self._thread = None
        self.flush()
        return self._bytes.getvalue().decode("utf-8", "backslashreplace")

    def write(self, text: str) -> int:
        inside = threading.get_ident() == self._thread
        return super().write(text) if inside else self.outside.write(text)

    def fileno(self) -> int:
        return self.outside.fileno()


def _without_ended(output: TextIO) -> TextIO:
    """Return an output without ended wrappers around it: threads may end in any order."""
    while isinstance(output, _Caught) and output.ended:
        output = output.outside
    return output


@frozen(kw_only=True)
class _Setting:
    """A process-wide setting.

    Attributes:
        remark: The remark about a plugin that changes it.
        read: Returns its value, which can be compared.
        write: Sets a value that `read` returned.
        initial: The value to restore if its library was imported inside; unknown: it is not restored.
        same: Returns whether two values are equal.
        stream: The random stream whose state it is, if any.
    """

    remark: str
    read: Callable[[], Any]
    write: Callable[[Any], object]
    initial: Any = _UNKNOWN
    same: Callable[[Any, Any], bool] = eq
    stream: _Stream | None = None


@frozen(kw_only=True)
class _Stream:
    """A random stream that all threads of the process share.

    Attributes:
        words: Returns, for a state, a function that draws a number of 32-bit words from it.
        seed: Seeds the stream with a whole number.
        seeded: Returns, for two states, whether the stream was seeded between them instead of only drawn
            from.
    """

    words: Callable[[Any], Callable[[int], bytes]]
    seed: Callable[[int], object]
    seeded: Callable[[Any, Any], bool]

    def renew(self, before: Any) -> None:  # noqa: ANN401 - a state
        """Seed the stream with a digest of the words after a state.

        The state itself cannot be restored: other threads may have drawn from it, and would draw the same
        again.
        """
        self.seed(int.from_bytes(sha256(self.words(before)(_PATTERN)).digest()[:7]))


def _is_ahead(words: Callable[[Any], Callable[[int], bytes]], before: Any, now: Any) -> bool:  # noqa: ANN401 - states
    """Return whether a state can be reached from another by drawing."""
    pattern, draw, last, size = words(now)(_PATTERN), words(before), b"", 2**10
    while size <= _WORDS:
        drawn = last + draw(size)
        if pattern in drawn:
            return True
        last, size = drawn[-len(pattern) :], 2 * size
    return False


def _settings() -> Iterator[_Setting]:
    yield _Setting(remark="changes the working folder", read=_folder, write=_set_folder)
    yield _Setting(
        remark="seeds Python's random numbers",
        read=random.getstate,
        write=random.setstate,
        stream=_Stream(
            words=_words_of_python,
            seed=random.seed,
            seeded=lambda before, now: not _is_ahead(_words_of_python, before, now),
        ),
    )
    numpy: Any = sys.modules.get("numpy.random")
    if hasattr(numpy, "get_state") and numpy.get_state(legacy=False)["bit_generator"] == "MT19937":
        yield _of_numpy(numpy)
    if threading.current_thread() is threading.main_thread():  # only there can Python set a handler
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
        # Seeded again with the same seed: the state is near the start and was not reached by drawing.
        return _is_ahead(words, (now[0], start), now) and not _is_ahead(words, before, now)

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
            seeded=lambda before, now: not _is_ahead(words, before, now),
        ),
    )


def _restore(setting: _Setting, before: dict[str, Any], *, alone: bool) -> bool:
    """Restore a setting, and return whether the code inside changed it.

    With other threads, a random stream is not restored, or they would draw the same numbers again: it
    continues, and if the code inside seeded it, from a new state.

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
    except OSError:  # it was removed
        return None


def _set_folder(folder: Path | None) -> None:
    if folder is not None:
        os.chdir(folder)


class BrokenError(Exception):
    """A plugin breaks a rule of loading.

    Args:
        text: The fault.
        cure: How to correct it.
    """

    def __init__(self, text: str, cure: str) -> None:
        super().__init__(text)
        self.cure = cure


def called(plugin: Plugin, work: Callable[[], Plugin]) -> Plugin:
    """Return the result of a step that calls a plugin's code, or the plugin as broken if it raises.

    The code's output is caught, its changes of the process are undone, and both become remarks of the plugin.
    While the code runs, the plugin's name is recorded in a file.

    Args:
        plugin: The plugin.
        work: The step.
    """
    with on_record(plugin), contained() as remarks:
        result = or_broken(plugin, work)
    new = [text for text in remarks.texts if text not in result.remarks]
    return evolve(result, remarks=(*result.remarks, *new)) if new else result


def or_broken(plugin: Plugin, work: Callable[[], Plugin]) -> Plugin:
    """Return the result of a step, or the plugin as broken if the step raises.

    Args:
        plugin: The plugin.
        work: The step.
    """
    return attempt(work, partial(_broken, plugin))


def _broken(plugin: Plugin, error: BaseException) -> Plugin:
    if isinstance(error, BrokenError):
        return evolve(plugin, status="broken", reason=str(error), cure=error.cure)
    trace = "".join(traceback.format_exception(error))
    return evolve(plugin, status="broken", reason=_error_text(error), cure=_cure(plugin, error), trace=trace)


def file_module(path: Path) -> ModuleType:
    """Import a single file with hooks, and return its module."""
    if not path.is_file():
        raise BrokenError(f"there is no file {path}", "Correct the path after --with.")
    name = f"{OF_FILES}{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise BrokenError(f"{path} is not a Python file", "Give a file whose name ends in .py.")
    module = module_from_spec(spec)
    # Types of settings and pickling look up classes by the name of their module.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def checked_module(plugin: Plugin, module: object) -> object:
    """Return a plugin's module; a folder without code, which Python takes for a package, is refused."""
    if isinstance(module, ModuleType) and getattr(module, "__file__", None) is None:
        raise BrokenError(
            f"the package {module.__name__} is empty: it has no __init__.py", _reinstall_hint(plugin)
        )
    return module


def _error_text(error: BaseException) -> str:
    """Return an error and its place, in one line."""
    raised = error_line(error)
    at = raised_at(error, but=(__file__, GUARD, "<frozen "))
    if isinstance(error, SyntaxError) or at is None or Path(at.file).parent.name == "importlib":
        return raised
    return f"{raised} ({at})"


def _cure(plugin: Plugin, error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        if error.name.partition(".")[0] == plugin.package:
            return _reinstall_hint(plugin)
        return f"Install the package with the module {error.name.partition('.')[0]}, which it needs."
    if plugin.is_file:
        return f"Correct {plugin.value}."
    return "Tell its authors; nascore plugins show has the traceback with --json."


def _reinstall_hint(plugin: Plugin) -> str:
    if not plugin.distribution:
        return "Correct its entry point."
    command = command_line("pip", "install", "--force-reinstall", plugin.distribution)
    return f"{command}; if that does not help, tell its authors."
