"""How the code is cut: files, lines, modules with one importer, circles, and what a search passes.

    python benchmarks/structure.py
    python benchmarks/structure.py --trace

It counts the product's own code, the core and the plugins of this repository, without tests and benchmarks.
A head is what a file says before its first definition: docstring, imports, blank lines. With `--trace` a
search of the README's headline mix is followed up to the first step of its trainer: own files and functions
that were entered. Another checkout is measured by `PYTHONPATH` and `--root`.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

PACKAGES = ("nascore", "nascore_*/src/*", "plugins/*/src/*")


class ReachedError(BaseException):
    """The trainer was about to make its first step."""


def packages(root: Path) -> dict[str, Path]:
    """Return the folder of each package of the repository by its name."""
    found = (path for pattern in PACKAGES for path in root.glob(pattern))
    return {path.name: path for path in found if (path / "__init__.py").exists()}


def modules(root: Path) -> dict[str, Path]:
    """Return the file of each module by its dotted name."""
    named = {}
    for name, folder in packages(root).items():
        for path in sorted(folder.rglob("*.py")):
            parts = [name, *path.relative_to(folder).with_suffix("").parts]
            named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return named


def imports(name: str, trees: dict[str, ast.Module]) -> set[str]:
    """Return the modules of the repository that a module imports, those for annotations too."""
    found = set()
    for node in ast.walk(trees[name]):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {home(node.module, one.name, trees) for one in node.names}
        elif isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
    return found & set(trees) - {name}


def import_graph(trees: dict[str, ast.Module]) -> dict[str, set[str]]:
    """Return for each module those that it imports."""
    return {name: imports(name, trees) for name in trees}


def home(module: str, name: str, trees: dict[str, ast.Module]) -> str:
    """Return the module that a name comes from, where a package hands on what its modules define."""
    if module in trees:
        for node in trees[module].body:
            if isinstance(node, ast.ImportFrom) and name in {one.asname or one.name for one in node.names}:
                origin = next(one.name for one in node.names if (one.asname or one.name) == name)
                return home(str(node.module), origin, trees)
    full = f"{module}.{name}"
    return full if full in trees else module


def head_lines(text: str, tree: ast.Module) -> int:
    """Return how many lines stand before a file's first definition."""
    first = (
        node.lineno - len(getattr(node, "decorator_list", ()))
        for node in tree.body
        if not isinstance(node, ast.Import | ast.ImportFrom | ast.If) and not _is_text(node)
    )
    return min(first, default=len(text.splitlines()) + 1) - 1


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def circles(graph: dict[str, set[str]]) -> Iterator[list[str]]:
    """Yield each group of modules of which each reaches all others by imports."""
    reached = {name: reachable(name, graph) for name in graph}
    grouped: set[str] = set()
    for name, others in reached.items():
        group = sorted(other for other in others if name in reached[other])
        if len(group) > 1 and name not in grouped:
            grouped |= set(group)
            yield group


def reachable(name: str, graph: dict[str, set[str]]) -> set[str]:
    """Return the modules that a module reaches by imports, with itself."""
    found, left = {name}, [name]
    while left:
        new = graph[left.pop()] - found
        found |= new
        left += new
    return found


def report(root: Path) -> Iterator[str]:
    """Yield the figures of the source as it stands."""
    known = modules(root)
    texts = {name: path.read_text(encoding="utf-8") for name, path in known.items()}
    trees = {name: ast.parse(text) for name, text in texts.items()}
    lines = [len(text.splitlines()) for text in texts.values()]
    graph = import_graph(trees)
    importers = defaultdict(set)
    for name, others in graph.items():
        for other in others:
            importers[other].add(name)
    single = sum(len(found) == 1 for found in importers.values())
    heads = sum(head_lines(texts[name], trees[name]) for name in known)
    groups = list(circles(graph))
    yield f"files                        {len(lines):6}"
    yield f"lines                        {sum(lines):6}"
    yield f"median lines of a file       {median(lines):6.0f}"
    yield f"longest file                 {max(lines):6}"
    yield f"modules with one importer    {single:6}"
    yield f"lines in heads of files      {heads:6} ({heads / sum(lines):.0%})"
    yield f"import circles               {len(groups):6}"
    yield from (f"    {', '.join(group)}" for group in groups)


def trace(root: Path) -> Iterator[str]:
    """Yield how many files and functions a search of the headline mix enters before its first step."""
    import nascore  # noqa: PLC0415 - what is imported from here on is counted
    from nascore.builtin.alternating import Alternating  # noqa: PLC0415 - the same

    folders = tuple(f"{folder}/" for folder in packages(root.resolve()).values())
    entered: set[tuple[str, str]] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(folders) and not code.co_name.startswith("<"):
            entered.add((code.co_filename, code.co_qualname))
            if code.co_qualname == f"{Alternating.__name__}.step":
                sys.setprofile(None)
                raise ReachedError

    with TemporaryDirectory() as folder:
        sys.setprofile(note)
        try:
            nascore.search(space="darts", updater="xnas", growth="petridish", out=Path(folder) / "run")
        except ReachedError:
            pass
        finally:
            sys.setprofile(None)
    yield f"files that a search enters   {len({file for file, _ in entered}):6}"
    yield f"functions that it enters     {len(entered):6}"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1], help="another checkout")
    parser.add_argument("--trace", action="store_true", help="follow a search as well")
    given = parser.parse_args()
    for line in report(given.root):
        print(line)
    if given.trace:
        for line in trace(given.root):
            print(line)


if __name__ == "__main__":
    main()
