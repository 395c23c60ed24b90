"""Quotes words of command lines for a shell."""

from __future__ import annotations

import shlex
from pathlib import PurePath


def command_line(*words: object) -> str:
    """Return a command line that a POSIX shell splits into the given words.

    Args:
        words: The program, its options and their values, one each; a path may be a `Path`.
    """
    return " ".join(map(quoted, words))


def quoted(word: object) -> str:
    r"""Return one word of a command line, in quotes where needed.

    Characters that are not printable are written as codes (`$'a\x0ab'`, as bash and zsh read it), so that a
    name from a file can neither move the cursor nor begin a new line.

    Args:
        word: The word. A path that begins with a dash gets the prefix `./`, or it would be an option.
    """
    text = str(word)
    if isinstance(word, PurePath) and text.startswith("-"):
        text = f"./{text}"
    if text.isprintable():
        return shlex.quote(text)
    return f"$'{''.join(map(_escaped, text))}'"


def _escaped(letter: str) -> str:
    if letter in "\\'":
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    byte_of_a_path = "\udc80" <= letter <= "\udcff"  # how Python represents names that are not UTF-8
    coded = letter.encode("utf-8", "surrogateescape" if byte_of_a_path else "replace")
    return "".join(f"\\x{byte:02x}" for byte in coded)
