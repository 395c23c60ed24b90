"""A plugin's import prints nothing into answers, changes nothing, and is named where it ends the process."""

from __future__ import annotations

import json
import os
import random
import shlex
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from nascore.plugin import discover
from nascore.plugin.loading import contained
from nascore.plugin.underway import on_record, suspects

HOOK = """
from nascore.api import Operation, hookimpl


@hookimpl
def nascore_operations():
    yield Operation(name="mine", build="x:y")
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder / "nascore"


def plugin(folder, text):
    path = folder / "odd.py"
    path.write_text(text, encoding="utf-8")
    return path


def nascore(*words, folder, timeout=60):
    return subprocess.run(
        [sys.executable, "-m", "nascore", *words],
        capture_output=True,
        check=False,
        cwd=folder,
        encoding="utf-8",
        timeout=timeout,
    )


def found(path):
    return next(one for one in discover([path]).plugins if one.name == "odd")


@pytest.mark.parametrize(
    ("text", "remark", "read"),
    [
        ("import torch; torch.set_grad_enabled(False)", "switches gradients off", torch.is_grad_enabled),
        (
            "import torch; torch.set_default_dtype(torch.float64)",
            "changes torch's default type",
            torch.get_default_dtype,
        ),
        (
            "import torch; torch.set_default_device('meta')",
            "changes torch's default device",
            lambda: str(torch.get_default_device()),
        ),
        (
            "import torch; torch.set_num_threads(torch.get_num_threads() + 1)",
            "changes torch's number of threads",
            torch.get_num_threads,
        ),
        (
            "import torch; torch.manual_seed(3)",
            "seeds torch's random numbers",
            lambda: torch.get_rng_state().tolist(),
        ),
        ("import random; random.seed(3)", "seeds Python's random numbers", random.getstate),
        ("import os; os.chdir('/')", "changes the working folder", os.getcwd),
        (
            "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)",
            "takes over Ctrl-C",
            lambda: signal.getsignal(signal.SIGINT),
        ),
    ],
)
@pytest.mark.usefixtures("alone")
def test_what_an_import_changes_is_put_back_and_remarked(tmp_path, text, remark, read):
    before = read()
    one = found(plugin(tmp_path, text + HOOK))
    assert (one.status, one.remarks) == ("ready", (remark,))
    assert read() == before


class Numbers:
    """Random numbers that a process has once: draws one of 64 bits, seeds, and reads the state."""

    def __init__(self, module, draw, seed, state):
        self.module, self.draw, self.seed, self.state = module, draw, seed, state


NUMBERS = [
    Numbers("Python", lambda: random.getrandbits(64), random.seed, lambda: repr(random.getstate())),
    Numbers(
        "torch",
        lambda: tuple(torch.rand(3).tolist()),
        torch.manual_seed,
        lambda: torch.get_rng_state().tolist(),
    ),
    Numbers(
        "NumPy",
        lambda: np.random.bytes(8),  # noqa: NPY002 - what has to be left alone
        np.random.seed,
        lambda: repr([np.random.get_state()[0], *map(list, np.random.get_state()[1:2])]),  # noqa: NPY002
    ),
]


@pytest.fixture(params=NUMBERS, ids=lambda one: one.module)
def numbers(request):
    request.param.seed(5)
    return request.param


@pytest.fixture
def elsewhere():
    """Call a function in another thread that lives on to the end of the test, and return what it gives."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(int).result()
        yield lambda call: pool.submit(call).result()


@pytest.fixture
def alone(monkeypatch):
    """No other thread counts, though whoever runs the tests may have some."""
    monkeypatch.setattr("nascore.plugin.loading.threading.enumerate", list)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("seed", [5, 6])
def test_numbers_that_are_seeded_go_on_as_if_they_were_not(numbers, seed):
    for _ in range(3):
        numbers.draw()
    before = numbers.state()
    with contained() as remarks:
        numbers.seed(seed)
        numbers.draw()
    assert numbers.state() == before
    assert remarks.texts == [f"seeds {numbers.module}'s random numbers"]


@pytest.mark.usefixtures("alone")
def test_numbers_that_are_drawn_alone_are_put_back_without_a_remark(numbers):
    before = numbers.state()
    with contained() as remarks:
        numbers.draw()
    assert (numbers.state(), remarks.texts) == (before, [])


@pytest.mark.parametrize("count", [1, 3000])
def test_what_another_thread_draws_meanwhile_never_comes_again(numbers, elsewhere, count):
    drawn = [numbers.draw()]
    with contained() as remarks:
        drawn += elsewhere(lambda: [numbers.draw() for _ in range(count)])
    drawn += [numbers.draw() for _ in range(2 * count)]
    assert len(set(drawn)) == len(drawn)
    assert remarks.texts == []
    numbers.seed(5)
    assert drawn == [numbers.draw() for _ in drawn]  # the numbers went on as if nothing had been


@pytest.mark.parametrize("seed", [5, 6])
def test_nor_does_it_where_an_import_seeds_the_numbers(numbers, elsewhere, seed):
    drawn = elsewhere(lambda: [numbers.draw() for _ in range(9)])
    with contained() as remarks:
        drawn += elsewhere(lambda: [numbers.draw() for _ in range(9)])
        numbers.seed(seed)
    drawn += elsewhere(lambda: [numbers.draw() for _ in range(99)])
    assert len(set(drawn)) == len(drawn)
    assert remarks.texts == [f"seeds {numbers.module}'s random numbers"]
    numbers.seed(seed)
    assert numbers.draw() not in drawn[9:]  # the plugin's choice is nobody's


def test_a_hook_that_changes_something_is_remarked_too(tmp_path):
    text = HOOK.replace("    yield", "    print('in the hook')\n    yield")
    assert found(plugin(tmp_path, text)).remarks == ("prints 'in the hook'",)


def test_a_plugin_that_prints_breaks_no_json(tmp_path):
    path = plugin(tmp_path, "print('hello')" + HOOK)
    result = nascore("list", "operation", "--json", "--with", path.name, folder=tmp_path)
    assert "mine" in {one["name"] for one in json.loads(result.stdout)}
    told = nascore("plugins", "doctor", "--with", path.name, folder=tmp_path)
    assert "prints 'hello'" in told.stdout
    assert told.returncode == 0


def test_what_a_plugin_prints_while_a_verb_works_breaks_no_json(tmp_path):
    text = """
from nascore.api import Component, hookimpl


def check(settings, choice):
    print("checked")
    return ()


@hookimpl
def nascore_updaters():
    yield Component(name="loud", slot="updater", summary="Prints.", build="x:y", check=check)
"""
    plugin(tmp_path, text)
    result = nascore("matrix", "--json", "--only", "builtin", "--with", "odd.py", folder=tmp_path)
    json.loads(result.stdout)
    assert "checked" in result.stderr


def test_other_threads_print_as_ever(capsys):
    with contained() as remarks:
        thread = threading.Thread(target=print, args=("from elsewhere",))
        thread.start()
        thread.join()
        sys.stdout.write("from here")
    assert capsys.readouterr().out == "from elsewhere\n"
    assert remarks.texts == ["prints 'from here'"]


def test_two_threads_that_find_plugins_leave_the_output_as_it_was(capsys):
    before = sys.stdout
    first, second = contained(), contained()
    first.__enter__()
    thread = threading.Thread(target=second.__enter__)
    thread.start()
    thread.join()
    first.__exit__(None, None, None)
    thread = threading.Thread(target=second.__exit__, args=(None, None, None))
    thread.start()
    thread.join()
    sys.stdout.write("from here")
    assert sys.stdout is before
    assert capsys.readouterr().out == "from here"


@pytest.mark.parametrize(
    "text",
    [
        "import sys; sys.stdout.reconfigure(encoding='utf-8'); print('hello')",
        "import sys; sys.stdout.buffer.write(b'hello'); sys.stdout.flush()",
    ],
)
def test_a_plugin_may_use_its_output_as_python_has_it(tmp_path, text):
    one = found(plugin(tmp_path, text + HOOK))
    assert (one.status, one.remarks) == ("ready", ("prints 'hello'",))


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("import os; os._exit(0)", "its import ends the process with exit code 0"),
        ("import os; os.abort()", "its import ends the process with signal 6"),
    ],
)
def test_the_next_command_and_the_doctor_name_who_ended_the_process(tmp_path, text, how):
    path = plugin(tmp_path, text + HOOK)
    lost = nascore("list", "space", "--with", path.name, folder=tmp_path)
    assert lost.stdout == ""
    following = nascore("list", "space", folder=tmp_path)
    assert "ended while it imported the plugin odd (odd.py)" in following.stderr
    assert following.returncode == 0
    assert nascore("list", "space", folder=tmp_path).stderr == ""  # one warning is enough
    told = nascore("plugins", "doctor", "--with", path.name, folder=tmp_path)
    assert told.returncode == 4
    assert how in told.stdout
    assert "--without odd" in told.stdout


def test_the_doctor_examines_plugins_that_are_there_alone(tmp_path, cache):
    path = plugin(tmp_path, "import os; os._exit(0)")
    nascore("list", "space", "--with", path.name, folder=tmp_path)
    record = {"plugin": "gone", "source": "nascore-gone"}  # its distribution was removed since
    (cache / "importing-1.json").write_text(json.dumps(record), encoding="utf-8")
    for verb in ("doctor", "list"):
        told = nascore("plugins", verb, "--only", "builtin", folder=tmp_path)
        assert (told.returncode, "no plugin is called" in told.stderr) == (0, False)
    assert {one.plugin for one in suspects()} == {"odd", "gone"}


def test_a_file_that_ended_the_process_is_examined_from_every_folder(tmp_path):
    path = plugin(tmp_path, "import os; os._exit(0)")
    nascore("list", "space", "--with", path.name, folder=tmp_path)
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    warned = nascore("list", "space", folder=elsewhere).stderr
    line = warned.partition("See ")[2].strip().removesuffix(".")
    assert line == f"nascore plugins doctor --with {path}"
    told = nascore(*shlex.split(line)[1:], folder=elsewhere)
    assert told.returncode == 4
    assert "its import ends the process with exit code 0" in told.stdout


def test_a_plugin_that_works_again_is_forgotten(tmp_path, cache):
    path = plugin(tmp_path, "import os; os._exit(0)")
    nascore("list", "space", "--with", path.name, folder=tmp_path)
    assert [one.plugin for one in suspects()] == ["odd"]
    plugin(tmp_path, HOOK)
    assert nascore("list", "space", "--with", path.name, folder=tmp_path).returncode == 0
    assert suspects() == []
    assert list(cache.iterdir()) == []


def test_an_import_that_hangs_is_named_on_ctrl_c(tmp_path):
    path = plugin(tmp_path, "import time\nopen('begun', 'w')\nwhile True: time.sleep(0.01)")
    process = subprocess.Popen(
        [sys.executable, "-m", "nascore", "list", "space", "--with", path.name],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    while not (tmp_path / "begun").exists():
        time.sleep(0.02)
    assert suspects() == []  # its process lives
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "It was importing the plugin odd; --without excludes it." in told


def test_an_import_that_takes_long_is_named(monkeypatch, capsys):
    monkeypatch.setattr("nascore.plugin.underway.PATIENCE", 0.01)
    with on_record(discover().plugins[0]):
        time.sleep(0.2)
    assert "still importing the plugin builtin" in capsys.readouterr().err


def test_a_record_that_is_no_record_is_passed_over(cache):
    cache.mkdir(parents=True)
    for number, text in enumerate(("", "[]", "{}", "\x00", '{"plugin": 1')):
        Path(cache / f"importing-{number}.json").write_text(text, encoding="utf-8")
    assert suspects() == []


def test_without_a_place_for_records_plugins_are_found(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert discover().plugins[0].status == "ready"
