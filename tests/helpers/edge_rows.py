"""Mistakes, one a row: the words that are typed, the exit code, what has to be said, and the files there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen
from edge_files import CHAIN, GENOTYPE, KNOT, PICTURES, SEARCH

if TYPE_CHECKING:
    from collections.abc import Mapping

DONE, USAGE, RECIPE, PLUGIN, FOLDER = 0, 2, 3, 4, 5


@frozen
class Row:
    """One mistake: what is typed, the exit code, what has to be said, and the files that are there."""

    typed: str
    code: int
    said: tuple[str, ...]
    files: Mapping[str, str] = {}


def row(typed: str, code: int, *said: str, **files: str) -> Row:
    """Write a row; `main_yaml=` is the file `main.yaml`."""
    return Row(typed, code, said, {name.replace("_", "."): text for name, text in files.items()})


WORD_FOR_WORD = (
    row("search --updater dart", RECIPE, "updater: ", "dart", "Did you mean darts?", "--updater dart"),
    row("search --updater darts --set updater.lrr=1", RECIPE, "updater.lrr", "Did you mean lr?", "above 0"),
    row("search --set trainer.epochs=many", RECIPE, "trainer.epochs: 'many' is not a whole number"),
    row("search --set trainer.epochs=2.7", RECIPE, "trainer.epochs: 2.7 is not a whole number"),
    row("search --set trainr.epochs=3", RECIPE, "trainr", "Did you mean trainer?"),
    row("search --spce darts", USAGE, "--spce", "--space"),
    row(
        "search --recipe main.yaml",
        RECIPE,
        "updater.lr: given twice",
        "main.yaml:5:3",
        "main.yaml:6:3",
        main_yaml="nascore: 1\nscale: mini\nupdater:\n  name: darts\n  lr: 0.1\n  lr: 0.2\n",
    ),
    row(
        "check main.yaml",
        DONE,
        "updater.lr",
        "0.001",
        main_yaml="nascore: 1\nscale: mini\nupdater: {name: darts, lr: 1e-3}\n",
    ),
    row(
        "check main.yaml",
        RECIPE,
        "ranking.nesterov: 'on' is not true or false",
        "main.yaml:5:22",
        main_yaml=SEARCH + "training: {nesterov: on}\n",
    ),
    row("check main.yaml", RECIPE, "seed: '1:30' is not", "main.yaml:5:7", main_yaml=SEARCH + "seed: 1:30\n"),
    row(
        "search --with pics.py --dataset pictures",
        RECIPE,
        "only data set digits can be used, not pictures",
        "--preset darts-cifar10",
        "What fits: ",
        pics_py=PICTURES,
    ),
    row("search --dataset celeba", RECIPE, "no dataset is called celeba. Installed: ", "new-plugin"),
    row("search --dataset synthetic", RECIPE, "synthetic", "--scale mini"),
    row("search --out EXISTING", FOLDER, "EXISTING is not empty", **{"EXISTING/kept_txt": "mine"}),
    row("evaluate NOT_A_RUN", FOLDER, "NOT_A_RUN is neither a run"),
    row("evaluate FOLDER", FOLDER, "FOLDER is not a run", **{"FOLDER/kept_txt": "mine"}),
    row("evaluate genotype.txt", RECIPE, "sep_conv_3x4", "Did you mean sep_conv_3x3?", genotype_txt=GENOTYPE),
    row("search --device cuda", RECIPE, "device: ", "no CUDA"),
    row(
        "check main.yaml",
        RECIPE,
        "seed: -1 is not a whole number at least 0",
        "main.yaml:4:7",
        "ranking.epochs: 'many' is not a whole number",
        "main.yaml:5:20",
        "updater.lrr",
        "middle.yaml:3:24",
        "trainer.batch: 0 is not",
        "middle.yaml:4:37",
        "space: no space is called dart",
        "low.yaml:2:8",
        main_yaml="nascore: 1\ninclude: middle.yaml\nscale: mini\nseed: -1\ntraining: {epochs: many}\n",
        middle_yaml="nascore: 1\ninclude: low.yaml\nupdater: {name: darts, lrr: 0.1}\n"
        "trainer: {name: alternating, batch: 0}\n",
        low_yaml="nascore: 1\nspace: dart\n",
    ),
    row(
        "check main.yaml",
        RECIPE,
        "tags",
        "main.yaml:5:7",
        main_yaml=SEARCH + "seed: !!python/object/apply:os.system [ls]\n",
    ),
    row("search --observer tensorboard", RECIPE, "no observer is called tensorboard. Installed: "),
    row("report RUN", USAGE, "report"),
    row(
        "draw knot.yaml",
        RECIPE,
        "cycle",
        "sep_conv_3x4",
        "Did you mean sep_conv_3x3?",
        "cannot do stride 3",
        "knot.yaml:8:",
        "knot.yaml:9:",
        "knot.yaml:10:",
        knot_yaml=KNOT,
    ),
)

NAMES = (
    row("serch", USAGE, "serch", "search"),
    row("search --relaxation sofmax", RECIPE, "Did you mean softmax?"),
    row("search --updater softmax", RECIPE, "softmax", "slot relaxation", "--relaxation softmax"),
    row("search --trainer alternate", RECIPE, "Did you mean alternating?"),
    row("search --space dart", RECIPE, "Did you mean darts?"),
    row("search --dataset digit", RECIPE, "Did you mean digits?"),
    row("search --preset darts-cifar", RECIPE, "Did you mean darts-cifar10?"),
    row("search --observer terminl", RECIPE, "Did you mean terminal?"),
    row("search --updater idea:darts", RECIPE, "idea:darts", "Did you mean darts?"),
    row("search --grwoth none", USAGE, "No such option", "--growth"),
    row("search --dataset lsun", RECIPE, "no dataset is called lsun. Installed: "),
    row("search --dataset pascal-voc", RECIPE, "no dataset is called pascal-voc. Installed: "),
    # Switched off, or not installed: either way it is said who brings it.
    row("search --space mbconv --only builtin", PLUGIN, "no space is called mbconv", "nascore-spaces"),
    row("show sofmax", RECIPE, "sofmax", "Did you mean softmax?"),
    row("list updatr", RECIPE, "updatr", "Did you mean updater?"),
    row("evaluate DARTS_v2", RECIPE, "DARTS_v2", "Did you mean DARTS_V2?"),
    row("draw nowhere/architecture.yaml", FOLDER, "nowhere/architecture.yaml is neither a run, nor a file"),
    row("plugins show nascore-dartz", PLUGIN, "nascore-dartz", "Did you mean nascore-darts?"),
    row("search --with nothing.py", PLUGIN, "there is no file nothing.py"),
    row("list --with broken.py", PLUGIN, "broken.py", "SyntaxError", broken_py="def\n"),
)

SETTINGS = (
    row("search --set trainer.epochs", RECIPE, "trainer.epochs", "="),
    row("search --set trainer.epochs=", RECIPE, "trainer.epochs", "null"),
    row("search --set trainer.epochs=2 --set trainer.epochs=3", RECIPE, "trainer.epochs", "twice"),
    row("search --set updater=darts", RECIPE, "updater", "--updater"),
    row("search --set epochs=2", RECIPE, "epochs", "trainer.epochs"),
    row("search --set seed=-1", RECIPE, "seed: -1 is not a whole number at least 0"),
    row("search --set trainer.batch=0", RECIPE, "trainer.batch: 0 is not a whole number at least 1"),
    row("search --set trainer.batch=100000", RECIPE, "trainer.batch", "718 available images"),
    row("search --set ranking.batch=100000", RECIPE, "ranking.batch", "718 available images"),
    row("search --set trainer.estimate=second", RECIPE, "trainer.estimate", "first", "unrolled"),
    row("search --set updater.lr=nan", RECIPE, "updater.lr: 'nan' is not a number above 0"),
    row("search --set updater.lr=inf", RECIPE, "updater.lr: 'inf' is not a number above 0"),
    row("search --set updater.lr=true", RECIPE, "updater.lr: true is not a number above 0"),
    row("search --set updater.lr=0", RECIPE, "updater.lr: 0 is not a number above 0"),
    row(
        "search --set trainer.warm_up=9",
        RECIPE,
        "trainer.warm_up: all 5 epochs are warm-up (9)",
        "Lower it to 4 or less",
    ),
    row("search --set ranking.nesterov=yes", RECIPE, "ranking.nesterov: 'yes' is not true or false"),
    row("search --set ranking.chanels=4", RECIPE, "Did you mean channels?"),
    row("search --set ranking.channels.wide=4", RECIPE, "ranking.channels: a map is not a whole number"),
    row("search --set threads=0", RECIPE, "threads: 0 is not a whole number at least 1"),
    row("search --seed one", USAGE, "--seed", "not a valid integer"),
    row("search --scale tiny", USAGE, "mini"),
)

FILES = (
    row("search --recipe nothing.yaml", RECIPE, "nothing.yaml cannot be read"),
    row("check main.yaml", RECIPE, "nascore", "Begin it with nascore: 2", main_yaml="space: darts\n"),
    row("check main.yaml", RECIPE, "newer", "main.yaml:1:10", main_yaml="nascore: 3\nspace: darts\n"),
    row("check main.yaml", RECIPE, "a recipe is a map", main_yaml="- nascore\n"),
    row("check main.yaml", RECIPE, "main.yaml:2", main_yaml="nascore: 1\nspace: [darts\n"),
    row("check main.yaml", RECIPE, "include", "itself", main_yaml=SEARCH + "include: main.yaml\n"),
    row("check main.yaml", RECIPE, "low.yaml cannot be read", main_yaml=SEARCH + "include: low.yaml\n"),
    row(
        "check main.yaml",
        RECIPE,
        "Did you mean updater?",
        "main.yaml:3:1",
        main_yaml="nascore: 1\nscale: mini\nupdaterr: darts\n",
    ),
    row("check main.yaml", RECIPE, "name", main_yaml="nascore: 1\nscale: mini\nupdater: {lr: 0.1}\n"),
    row("check main.yaml", RECIPE, "anchors", main_yaml="nascore: 1\nscale: &s mini\nspace: darts\n"),
    row(
        "check main.yaml",
        RECIPE,
        "scale",
        "mini, small, paper",
        main_yaml="nascore: 1\nscale: tiny\nspace: darts\n",
    ),
    row("check chain.yaml", RECIPE, "description", "--space file:chain.yaml", chain_yaml=CHAIN),
    row("search --space file:main.yaml", RECIPE, "recipe", main_yaml=SEARCH),
    row("search --space file:nothing.yaml", RECIPE, "there is no file nothing.yaml"),
    row(
        "search --space file:chain.yaml",
        RECIPE,
        "sep_conv_3x4",
        "Did you mean sep_conv_3x3?",
        "chain.yaml:6",
        chain_yaml=CHAIN.replace("sep_conv_3x3, skip", "sep_conv_3x4, skip"),
    ),
    row(
        "draw chain.yaml",
        RECIPE,
        "chanels",
        "Did you mean channels?",
        "chain.yaml:2",
        chain_yaml=CHAIN.replace("channels: 4\nin", "chanels: 4\nin"),
    ),
    row("evaluate chain.yaml", RECIPE, "open", chain_yaml=CHAIN),
    row("draw here", FOLDER, "here", "is not a run", **{"here/kept_txt": "mine"}),
    row("export here --to genotype", FOLDER, "here is not a run", **{"here/kept_txt": "mine"}),
    row("search --out taken", FOLDER, "taken is a file", taken="a file"),
)

ROWS = (*WORD_FOR_WORD, *NAMES, *SETTINGS, *FILES)
