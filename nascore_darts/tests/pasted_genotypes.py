"""Lines as users paste them, made by mutation of the eight published genotypes, with what each must give.

    python nascore_darts/tests/pasted_genotypes.py --lines 500 --seed 0

prints how many are read as the network that they say, refused with the right reason, and misread.
"""

from __future__ import annotations

import argparse
import ast
from collections import Counter
from random import Random

from attrs import frozen

from nascore.api import RecipeError, fingerprint
from nascore.verbs.architecture import Size, read_architecture
from nascore.verbs.resolution import installed
from nascore_darts.genotypes import GENOTYPES

OPERATIONS = (
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
SIZE = Size(channels=4, cells=3)
REGISTRY = installed()
CELLS = ("normal", "reduce")


@frozen(kw_only=True)
class Want:
    """What a line must give: the network of this fingerprint, or a refusal that says this."""

    kind: str
    form: str
    mark: str = ""
    reason: str = ""


def published(name):
    """Return a published genotype as nodes of pairs and the concatenations."""
    text = GENOTYPES[name].replace("Genotype", "dict", 1).replace("range(2, 6)", "[2, 3, 4, 5]")
    call = ast.parse(text, mode="eval").body
    given = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
    for cell in CELLS:
        flat = given[cell]
        given[cell] = [flat[at : at + 2] for at in range(0, len(flat), 2)]
    return given


def mutated(rng):
    """Return a published genotype with some operations and sources changed."""
    given = published(rng.choice(list(GENOTYPES)))
    for cell in CELLS:
        given[cell] = [
            [
                (
                    rng.choice(OPERATIONS) if rng.random() < 0.3 else operation,
                    rng.randrange(2 + place) if rng.random() < 0.3 else source,
                )
                for operation, source in node
            ]
            for place, node in enumerate(given[cell])
        ]
    return given


def flat(given, cell):
    return [pair for node in given[cell] for pair in node]


def call(given, show=repr, cells=flat):
    """Return a call, with values as `show` prints them."""
    parts = []
    for cell in CELLS:
        if given[cell] is None:
            parts += [f"{cell}=None", f"{cell}_concat=None"]
            continue
        parts += [
            f"{cell}={show(cells(given, cell))}",
            f"{cell}_concat={show(given[f'{cell}_concat'])}",
        ]
    return f"Genotype({', '.join(parts)})"


def nested(given):
    """Return the form that is the oracle: a list for each node, which leaves nothing to guess."""
    return call(given, cells=lambda given, cell: given[cell])


def numpy_numbers(value):
    match value:
        case int():
            return f"np.int64({value})"
        case list():
            return f"[{', '.join(map(numpy_numbers, value))}]"
        case tuple():
            return f"({', '.join(map(numpy_numbers, value))})"
    return repr(value)


def changed(given, rng, operation):
    """Return a genotype in which one term has another operation, and never one that its node has twice."""
    cell = rng.choice(CELLS)
    place = rng.randrange(len(given[cell]))
    node = [*given[cell][place]]
    node[0] = (operation, node[0][1])
    return {**given, cell: [*given[cell][:place], node, *given[cell][place + 1 :]]}


def targets(given, cell):
    return [
        (operation, 2 + place, source) for place, node in enumerate(given[cell]) for operation, source in node
    ]


def weighted(given, cell):
    return [[(operation, source, 0.148) for operation, source in node] for node in given[cell]]


def awnas(given):
    fields = [
        f"{cell}_{number}={[(op, source, node) for op, node, source in targets(given, cell)]}, "
        f"{cell}_{number}_concat={given[f'{cell}_concat']}"
        for number, cell in enumerate(CELLS)
    ]
    return f"CNNGenotype({', '.join(fields)})"


def sparse(given, rng):
    """Return a genotype some of whose terms are left out; a node with none keeps `none`."""
    found = dict(given)
    for cell in CELLS:
        found[cell] = [[term for term in node if rng.random() < 0.8] for node in given[cell]]
        found[cell][-1] = given[cell][-1]
    return found


def filled(given):
    cells = {cell: [node or [("none", 0)] for node in given[cell]] for cell in CELLS}
    return {**given, **cells}


def whole(given):
    """Return the concatenation over all nodes: what is not named there cannot be seen to be missing."""
    return {**given, **{f"{cell}_concat": list(range(2, 2 + len(given[cell]))) for cell in CELLS}}


PLAIN = {
    "plain": lambda text: text,
    "log line": lambda text: f"2020-01-01 00:00:00,000 genotype = {text}",
    "log line, am and pm": lambda text: f"01/01 12:00:00 PM genotype = {text}",
    "comment above": lambda text: f"# epoch 49\nMINE = {text}",
    "whole file": lambda text: (
        "from collections import namedtuple\n\n"
        "Genotype = namedtuple('Genotype', 'normal normal_concat reduce reduce_concat')\n\n"
        f"PRIMITIVES = [\n    'none',\n    'skip_connect',\n]\n\nMINE = {text}\n"
    ),
    "alias below": lambda text: f"A = {text}\nB = A\n",
    "byte order mark": lambda text: f"\ufeff{text}",
    "comma behind": lambda text: f"{text},",
    "prompt": lambda text: f">>> {text}",
    "quotes": lambda text: f'"{text}"',
    "escaped quotes": lambda text: "'" + text.replace("'", "\\'") + "'",
    "back quotes": lambda text: f"`{text}`",
    "over lines": lambda text: text.replace("), (", "),\n    ("),
    "json": lambda text: '{"epoch": 3, "genotype": "' + text + '"}',
}

OTHERS = {
    "numpy's numbers": lambda given, _: (call(given, numpy_numbers), given),
    "numpy's arrays": lambda given, _: (
        call(given).replace("concat=[", "concat=array([").replace("], reduce=", "]), reduce=")[:-1] + "))",
        given,
    ),
    "no reduction cell": lambda given, _: (
        call({**given, "reduce": None, "reduce_concat": None}),
        {**given, "reduce": None, "reduce_concat": None},
    ),
    "none": lambda given, rng: both(changed(given, rng, "none")),
    "noise": lambda given, rng: both(changed(given, rng, "noise")),
    "an operation of the catalogue": lambda given, rng: both(changed(given, rng, "conv_3x3")),
    "FairDARTS's triples": lambda given, rng: fair(whole(sparse(given, rng))),
    "nested with weights": lambda given, _: (call(given, cells=weighted), given),
    "dictionary": lambda given, _: (str({**given, **{cell: weighted(given, cell) for cell in CELLS}}), given),
    "aw_nas": lambda given, _: (awnas(given), given),
}

FORMS = (*PLAIN, *OTHERS)


def both(given):
    return call(given), given


def fair(given):
    return call(given, cells=targets), filled(given)


def two(given, rng):
    other = mutated(rng)
    return f"A = {call(given)}\nB = {call(other)}\n" if other != given else two(given, rng)


def compact(given, _):
    known = (*OPERATIONS, "sep_conv_7x7", "conv_7x1_1x7")
    return repr(tuple(tuple((at, known.index(op)) for op, at in flat(given, cell)) for cell in CELLS))


def later(given, _):
    first, *others = given["normal"]
    return call({**given, "normal": [[("skip_connect", 2), first[1]], *others]})


def odd(given, _):
    first, *others = given["reduce"]
    return call({**given, "reduce": [first[:1], *others]})


BAD = {
    "several": ("holds 2 of genotype", two),
    "a mistyped operation": (
        "there is no operation", lambda given, rng: call(changed(given, rng, "sep_conv_3x4")),
    ),
    "a later state": (
        "the states before this node are 0 to", later,
    ),
    "an odd number": (
        "odd number of pairs", odd,
    ),
    "numbers for operations": ("ambiguous", compact),
    "cut off": ("not a genotype", lambda given, rng: call(given)[: -rng.randrange(2, 40)]),
    "a node twice": ("lists a node twice", lambda given, _: call({**given, "normal_concat": [2, 2]})),
    "code": ("never executed", lambda given, _: call(given).replace("normal=[", "normal=[] + [", 1)),
}  # fmt: skip


def mark_of(given):
    return fingerprint(read_architecture(nested(given), REGISTRY, SIZE))


def lines(count, seed):
    """Return as many pairs of a text and what it must give."""
    rng = Random(seed)  # noqa: S311 - no secret
    made = []
    for number in range(count):
        given = mutated(rng)
        if number % 4 == 3:
            form = list(BAD)[number // 4 % len(BAD)]
            reason, write = BAD[form]
            made.append((write(given, rng), Want(kind="refused", form=form, reason=reason)))
            continue
        form = FORMS[(number - number // 4) % len(FORMS)]
        if form in PLAIN:
            text, meant = PLAIN[form](call(given)), given
        else:
            text, meant = OTHERS[form](given, rng)
        made.append((text, Want(kind="read", form=form, mark=mark_of(meant))))
    return made


def judged(given):
    """Return how many lines are read right, refused with the right reason or another, and misread."""
    found = Counter()
    for text, want in given:
        try:
            mark = fingerprint(read_architecture(text, REGISTRY, SIZE))
        except RecipeError as error:
            right = want.kind == "refused" and want.reason in str(error)
            found["refused, right reason" if right else "refused, wrong reason"] += 1
        else:
            found["read right" if mark == want.mark else "misread"] += 1
    return found


def main():
    parser = argparse.ArgumentParser(description="Pasted genotypes: read, refused, misread.")
    parser.add_argument("--lines", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    for kind, count in sorted(judged(lines(asked.lines, asked.seed)).items()):
        print(f"{kind}: {count}")  # noqa: T201 - a program


if __name__ == "__main__":
    main()
