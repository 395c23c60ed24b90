"""A plugin file with tricks, and an architecture, that make an ablation small."""

from __future__ import annotations

from textwrap import dedent

TRICKS = dedent("""\
    from nascore.api import Component, Need, hookimpl


    class Half:
        factor = 0.5

        def __init__(self, settings):
            pass

        def schedule(self, step, lr):
            return lr * self.factor


    class Triple(Half):
        factor = 3.0


    class Fails(Half):
        def schedule(self, step, lr):
            if step:
                raise ValueError("this trick fails")
            return lr


    class Doubled:
        def __init__(self, settings):
            pass

        def loss(self, loss, logits, images, targets):
            return 2 * loss


    @hookimpl
    def nascore_tricks():
        for name, build in {"half": Half, "triple": Triple, "fails": Fails}.items():
            yield Component(name=name, slot="trick", summary="A toy.", build=build, provides=("schedule",))
        yield Component(name="doubled", slot="trick", summary="A toy.", build=Doubled, provides=("loss",))
        yield Component(
            name="leans",
            slot="trick",
            summary="A toy.",
            build=Half,
            provides=("schedule",),
            needs=(Need(terms=("trick.loss",), why="it leans on the loss of another trick"),),
        )
    """)

ARCHITECTURE = dedent("""\
    nascore: 1
    channels: 4
    in_channels: 3
    classes: 3
    affine: false
    pool_norm: true
    cells:
      cell:
        inputs: [in0]
        nodes:
          n0: {from: in0, op: conv_3x3}
    network:
      nodes:
        stem: {from: images, op: stem}
        a: {from: -1, cell: cell}
        head: {from: -1, op: classifier, width: classes}
    """)

SETTINGS = {
    "dataset.count": 60,
    "dataset.size": 8,
    "dataset.classes": 3,
    "dataset.noise": 1.0,
    "training.epochs": 1,
    "training.batch": 8,
}


def written(folder):
    """Write both files to a folder, and return their paths."""
    plugin, architecture = folder / "tricks.py", folder / "tiny.yaml"
    plugin.write_text(TRICKS, encoding="utf-8")
    architecture.write_text(ARCHITECTURE, encoding="utf-8")
    return plugin, architecture
