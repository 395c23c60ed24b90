"""Parses the text of a genotype to a syntax tree with positions, without executing it."""

from __future__ import annotations

import ast
import re
from itertools import islice
from typing import TYPE_CHECKING

from attrs import frozen

from nascore.api import DescriptionError, Origin, Passage, Problem, passages

if TYPE_CHECKING:
    from collections.abc import Iterator


LONGEST_GENOTYPE = 20_000
"""Maximum length of a genotype, in characters."""

MOST_FOUND = 10_000
"""Maximum number of genotypes of a text that are read."""

_CALL = r"Genotype[ \t]{0,40}\("
_DICTIONARY = r"\{[ \t\r\n]{0,200}['\"](?:normal|reduce)(?:_concat)?['\"][ \t]{0,40}:"
_BEGINS = re.compile(f"{_CALL}|{_DICTIONARY}")
_MODULE = re.compile(r"[\w.]{0,100}$")
_NAME = re.compile(r"(?:^|[^\w.])([A-Za-z_]\w{0,99})['\"]?[ \t]*(?::[ \t]*[\w.]{1,99}[ \t]*)?[=:][ \t]*$")
_DEFINED = re.compile(r"\b(?:class|def)[ \t]+$")
_ALIAS = re.compile(r"^([A-Za-z_]\w{0,99})[ \t]*=[ \t]*([A-Za-z_]\w{0,99})[ \t]*(?:#.*)?$", re.MULTILINE)
_PROMPT = re.compile(r"^[ \t]*(?:>>>|\.\.\.)", re.MULTILINE)
_ESCAPED = re.compile(r"\\(['\"])(\w{0,99})\\\1")
_DESCRIPTION = re.compile(r"^nascore[ \t]*:", re.MULTILINE)

_COMMENT = re.compile(r"[^\S\n]{0,300}#")

_BEFORE = 300
"""Number of characters before a genotype in which its name is looked for."""

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_IMAGENET = "imagenet:"


def find(text: str) -> tuple[Passage, ...]:
    """Return the genotypes in a text, each once, with their names and line numbers.

    A description in YAML has none, whatever its comments contain.
    """
    if _DESCRIPTION.search(text):
        return ()
    # Replace by as many characters, so that the positions of problems stay right.
    text = text.replace("\ufeff", " ").replace("\\n", "  ")
    text = _ESCAPED.sub(r" \1\2\1 ", text)
    text = _PROMPT.sub(lambda prompt: " " * len(prompt[0]), text)
    found = list(islice(_spans(text), MOST_FOUND))
    written = [each for each in found if _is_written_out(text, *each[1:])]
    for usable in (
        [each for each in written if not _is_comment(text, each[1])],
        written,
        found,
    ):
        if usable:
            return passages(text, usable, dict(_ALIAS.findall(text)))
    return ()


def _spans(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield for each literal its name, empty if it has none, and its begin and end."""
    at = 0
    while (match := _BEGINS.search(text, at)) is not None:
        opening = match.end() - 1 if match[0].endswith("(") else match.start()
        at = _end(text, opening)
        line = text.rfind("\n", 0, match.start()) + 1
        before = text[max(line, match.start() - _BEFORE) : match.start()]
        module = _MODULE.search(before)
        before = before[: module.start()] if module else before
        if _DEFINED.search(before):
            continue
        begin = max(line, match.start() - len(module[0])) if module else match.start()
        if text.endswith(_IMAGENET, 0, begin):
            begin -= len(_IMAGENET)
        name = _NAME.search(before)
        yield ("" if name is None else name[1]), begin, at


def _end(text: str, opening: int) -> int:
    """Return the position after the closing bracket, or the last position searched if there is none."""
    open_, quote, at = [_CLOSING[text[opening]]], "", opening + 1
    end = min(len(text), opening + LONGEST_GENOTYPE + 1)
    while at < end and open_:
        letter = text[at]
        if quote:
            quote = "" if letter in {quote, "\n"} else quote
        elif letter in "'\"":
            quote = letter
        elif letter == "#":
            at = text.find("\n", at) if "\n" in text[at:end] else end
            continue
        elif letter in _CLOSING:
            open_.append(_CLOSING[letter])
        elif letter == open_[-1]:
            open_.pop()
        at += 1
    return at


def _is_written_out(text: str, begin: int, end: int) -> bool:
    """Return whether a call contains names of operations: in program text arguments are often variables."""
    return "'" in text[begin:end] or '"' in text[begin:end]


def _is_comment(text: str, begin: int) -> bool:
    return _COMMENT.match(text, text.rfind("\n", 0, begin) + 1, begin) is not None


FIELDS = ("normal", "normal_concat", "reduce", "reduce_concat")
"""The fields of a genotype, in the order in which they may be given without names."""

_FORM = "Write Genotype(normal=[(OPERATION, STATE), ...], normal_concat=[...], ...)."
_ESCAPE = re.compile(r"\\(?![\r\n])")
_INDEX = re.compile(r"\[(\d+)\]")
_NUMBER = re.compile(r"_\d+")


@frozen(kw_only=True)
class Source:
    """A parsed text.

    Attributes:
        tree: Its only expression.
        indent: The indentation of its first line that is not empty.
    """

    tree: ast.expr
    indent: int

    def named(self) -> Iterator[tuple[str, ast.expr]]:
        """Yield the fields with their values; none if the text is neither a call nor a dictionary."""
        tree = self.tree
        if isinstance(tree, ast.Call) and ast.unparse(tree.func).endswith("Genotype"):
            yield from zip(FIELDS, tree.args, strict=False)
            yield from ((word.arg or "**", word.value) for word in tree.keywords)
        elif isinstance(tree, ast.Dict):
            for key, value in zip(tree.keys, tree.values, strict=True):
                yield (str(key.value) if isinstance(key, ast.Constant) else "**"), value

    def origin(self, path: str) -> Origin:
        """Return the place of a path such as ``normal[3]``, or of its longest part that exists."""
        name, *_ = path.split("[", 1)
        node: ast.expr = self.tree
        for field, value in self.named():
            if name in {field, _NUMBER.sub("", field)}:
                node = value
                break
        for index in map(int, _INDEX.findall(path)):
            if isinstance(node, ast.List | ast.Tuple) and index < len(node.elts):
                node = node.elts[index]
        indent = self.indent if node.lineno == self.tree.lineno else 0
        return _origin(node.lineno, node.col_offset + 1 + indent)


def parse(text: str) -> Source:
    """Return the syntax tree of a text.

    Raises:
        DescriptionError: The text is not a single Python expression, or is too long.
    """
    stripped = text.lstrip()
    if len(stripped) > LONGEST_GENOTYPE:
        message = f"a genotype has at most {LONGEST_GENOTYPE:,} characters, this text has {len(stripped):,}."
        raise DescriptionError(message)
    before = text[: len(text) - len(stripped)]
    lines = before.count("\n")
    indent = len(before) - before.rfind("\n") - 1
    try:
        # Python warns about invalid escapes, and a warning filter would apply to the whole process. No
        # genotype needs escapes, so each becomes a `?`, which is invalid, at the same column.
        body = ast.parse("\n" * lines + _ESCAPE.sub("?", stripped.rstrip())).body
    except SyntaxError as error:
        line, column = error.lineno or 1, error.offset or 1
        raise _no_genotype(error.msg, line, column + (indent if line == lines + 1 else 0)) from None
    except (ValueError, RecursionError, MemoryError) as error:
        message = "nested too deeply" if isinstance(error, (RecursionError, MemoryError)) else str(error)
        raise _no_genotype(message, lines + 1, indent + 1) from None
    if len(body) != 1 or not isinstance(body[0], ast.Assign | ast.Expr):
        raise _no_genotype("it is not one expression", lines + 1, indent + 1)
    return Source(tree=body[0].value, indent=indent)


def _origin(line: int, column: int) -> Origin:
    return Origin(kind="recipe", file="genotype", line=line, column=column)


def _no_genotype(why: str, line: int, column: int) -> DescriptionError:
    text = f"this is not a genotype: {why.rstrip('.')}; genotypes are read, never executed."
    return DescriptionError([Problem(path="", text=text, hint=_FORM, origin=_origin(line, column))])
