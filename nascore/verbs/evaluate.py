"""Evaluates an architecture: trains it, by default from scratch, and tests it once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from attrs import evolve, frozen

from nascore.description import Description, Edge, Graph, Node, Op, expand
from nascore.errors import Origin, Problem, RecipeError, refusal
from nascore.files import given_path
from nascore.plugin import Selection
from nascore.plugin.network_file import operation_name, parts_of
from nascore.plugin.network_object import is_network
from nascore.plugin.network_object import operation_name as object_name
from nascore.recipe import EVALUATE_RUN, Layer, resolve
from nascore.recipe.settling.fit import unused_size_warnings
from nascore.recipe.settling.recipe import published_size_layer, with_scaled_sizes
from nascore.recipe.sources.files import Files
from nascore.recipe.sources.run_settings import EVALUATION_PATH
from nascore.run import RECIPE, RunControl, is_file, refuse_taken
from nascore.shell import command_line
from nascore.slots import DATASET, SLOTS, SLOTS_OF_EVALUATE, TASK
from nascore.verbs.architecture import read_architecture, sizes_of_notation
from nascore.verbs.arguments import EvaluationArguments, declares, request_of
from nascore.verbs.pretrained import with_pretrained
from nascore.verbs.reporter import Reporter
from nascore.verbs.resolution import ResolvedRequest, installed
from nascore.verbs.runs import Run, naming_code, run_done

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nascore.component import Component
    from nascore.contract import Observer
    from nascore.plugin import Registry
    from nascore.plugin.plugin import Wanted
    from nascore.recipe import Request
    from nascore.verbs.architecture import Target


@declares(EvaluationArguments[str])
def evaluate(
    target: Target,
    *,
    entry: int | None = None,
    weights: str | Path | None = None,
    pretrained: bool = False,
    **arguments: Unpack[EvaluationArguments[str]],
) -> Run:
    """Train an architecture on all training images, test it once, and return the finished run.

    The training of a torch module begins with the weights that the module has, and changes a copy of it. A
    function or a class is called with the numbers of channels and outputs, if it has arguments such as
    `in_channels` and `num_classes`, and returns a module with new weights. The folder of the run holds the
    trained weights but no code of such a network: to open it again, ``load_run(folder, network=module)``.

    Args:
        target: A run, or its folder; a description, or a file with one; a text in a notation of a plugin, a
            file with one (`FILE:NAME` where it has several), or a value whose printed form is such a text; a
            torch module, or a function or class that returns one.
        entry: Id of an architecture in the run's gallery. None: the run's best.
        weights: File with the weights with which training begins: a safetensors file, or a state dict that
            ``torch.save`` wrote. None: those of the recipe, or new weights.
        pretrained: Whether training begins with the published weights of the architecture, from the local
            cache of its library: ``"timm:resnet18"``. Nothing is downloaded.
        arguments: See :class:`nascore.verbs.arguments.EvaluationArguments`. Without a data set it is that of
            the run; of the slots of a recipe only the data set and the observers are used.

    Raises:
        RecipeError: The request has problems; the error has all of them.
        RunFolderError: `out`, or the named run, cannot be used.
        RunFailed: The run failed.
    """
    request, call = request_of(arguments, slots=SLOTS_OF_EVALUATE)
    if weights is not None:
        refuse_two_weights(pretrained=pretrained)
        request = evolve(request, settings={**request.settings, **weights_settings(weights)})
    return evaluate_as_requested(target, request, entry=entry, pretrained=pretrained, **call)


def refuse_two_weights(*, pretrained: bool) -> None:
    """Refuse published weights beside a file of weights.

    Raises:
        RecipeError: Published weights are requested too.
    """
    if pretrained:
        text = "--weights FILE and --pretrained both name the weights with which training begins."
        raise RecipeError([Problem(path="weights.file", text=text, hint="Leave one of them out.")])


def weights_settings(file: str | Path) -> dict[str, str]:
    """Return the settings, by path, for a file of weights; a checksum of an earlier file does not count."""
    return {"weights.file": str(given_path(file).absolute()), "weights.sha256": ""}


def evaluate_as_requested(  # noqa: PLR0913 - each by name
    target: Target,
    request: Request,
    *,
    entry: int | None = None,
    pretrained: bool = False,
    out: str | Path | None = None,
    plugins: Wanted = (),
    observers: Sequence[Observer] = (),
    reporter: Reporter | None = None,
) -> Run:
    """Run the requested evaluation, from Python or the command line, and return the finished run.

    Args:
        target: The architecture; see :func:`evaluate`.
        request: The request.
        entry: Id of an architecture in the run's gallery. None: the run's best.
        pretrained: Whether training begins with the published weights of the architecture.
        out: Folder of the run, new or empty. None: a new one where runs are kept.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.
        observers: Objects that watch the run.
        reporter: Receives the warnings. None: that of a call from Python.

    Raises:
        RecipeError: The request has problems; the error has all of them.
        RunFolderError: `out`, or the named run, cannot be used.
        RunFailed: The run failed.
    """
    reporter = reporter or Reporter()
    run = reporter.run_component(EVALUATE_RUN)
    resolved = resolve_evaluation(
        target, request, entry=entry, pretrained=pretrained, plugins=plugins, run=run
    )
    reporter.resolved(resolved.recipe)
    reporter.warn_all(resolved.recipe.warned)
    done = run_evaluation(resolved, out=out, observers=observers, control=reporter.control)
    reporter.warn_late(done.result, resolved.recipe.warned)
    return evolve(done, network=network_of(target))


@frozen(kw_only=True)
class ResolvedEvaluation(ResolvedRequest):
    """An architecture to evaluate, and the recipe of the evaluation.

    Attributes:
        description: The architecture, closed. It is read once, so that the checked one is trained.
        run: The run that found the architecture; None: no run did.
    """

    description: Description
    run: Path | None = None


def resolve_evaluation(  # noqa: PLR0913 - each by name
    target: Target,
    request: Request,
    *,
    entry: int | None = None,
    pretrained: bool = False,
    plugins: Wanted = (),
    run: Component = EVALUATE_RUN,
) -> ResolvedEvaluation:
    """Return the recipe with which a target is evaluated.

    A run contributes its data set, and the settings and tricks that its search carries for an evaluation,
    which the request overrides, and its scale where the request has none.

    Args:
        target: The architecture; see :func:`evaluate`.
        request: The request.
        entry: Id of an architecture in the run's gallery. None: the run's best.
        pretrained: Whether training begins with the published weights of the architecture.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.
        run: The component of the run itself.

    Raises:
        RecipeError: The request has problems; the error has all of them.
        RunFolderError: The named run cannot be used.
    """
    target, plugins = with_network(target, plugins)
    registry = installed(plugins)
    if pretrained:
        request = with_pretrained(request, target, registry)
    found = layers_of_evaluation(target, request, registry, entry=entry, run=run)
    recipe = resolve(found.layers, registry, run=found.run, slots=SLOTS_OF_EVALUATE)
    if recipe.refused:
        raise refusal(recipe.problems)
    recipe = unused_size_warnings(recipe, [found.description], registry.operations())
    return ResolvedEvaluation(
        recipe=recipe, registry=registry, description=found.description, run=found.origin
    )


def network_of(target: Target) -> object:
    """Return the module or function from Python that a target is, or that a run was made with, or None."""
    if isinstance(target, Run):
        return target.network
    return target if is_network(target) else None


def with_network(target: Target, plugins: Wanted) -> tuple[Target, Wanted]:
    """Return a target and the plugins; a network of a user's code becomes a description and a plugin.

    Such a target is ``net.py:make``, or a module or a function from Python.
    """
    selection = Selection.of(plugins)
    network = network_of(target)
    if network is not None:
        selection = selection.with_network(network)
        return target if network is not target else _single(object_name(network)), selection
    found = parts_of(target) if isinstance(target, str) else None
    if found is None or not is_file(given_path(found[0])):
        return target, plugins
    assert isinstance(target, str)
    return _single(operation_name(target)), evolve(selection, files=(*selection.files, given_path(target)))


def _single(operation: str) -> Description:
    """Return the description of a network that is one operation."""
    edge = Edge(source="images", ops=(Op(operation),))
    node = Node(name="network", edges=(edge,), width="classes")
    return Description(network=Graph(inputs=("images",), nodes=(node,), output="network"))


@frozen(kw_only=True)
class EvaluationLayers:
    """An architecture, and the layers of the recipe with which it is evaluated.

    Attributes:
        description: The architecture, closed.
        layers: The layers, lowest first.
        run: The component of the run itself, with the sizes of the architecture's space.
        origin: The run that found the architecture; None: no run did.
    """

    description: Description
    layers: Sequence[Layer]
    run: Component
    origin: Path | None


def layers_of_evaluation(
    target: Target, request: Request, registry: Registry, *, entry: int | None, run: Component
) -> EvaluationLayers:
    """Return the architecture of a target, and the layers of its recipe; see :func:`resolve_evaluation`."""
    # The paths that are for an evaluation in a search may be used here too.
    request = evolve(request, prefix=EVALUATION_PATH)
    # Read first: without an architecture no recipe is needed, and torch is not imported.
    description = read_architecture(target, registry, entry=entry)
    if description.is_open:
        raise RecipeError([_still_open(target)])
    layers = request.layers(registry)
    declared, by = sizes_of_notation(target, registry)
    recipe_file = _recipe_of(target)
    if recipe_file is not None:
        whole = _last_layer(recipe_file, registry)
        layers = _with_run(layers, whole, request)
        for choice in whole.chosen.get("space", ()):
            if choice.component is not None:
                declared, by = choice.component.sizes, f"space {choice.name}"
    layers = [published_size_layer(declared, by), *layers]
    origin = None if recipe_file is None else recipe_file.parent
    if origin is not None:
        with naming_code(origin, registry):
            expand(description, registry.operations())
    run = with_scaled_sizes(run, declared)
    return EvaluationLayers(description=description, layers=layers, run=run, origin=origin)


def _with_run(layers: Sequence[Layer], whole: Layer, request: Request) -> list[Layer]:
    """Return the layers with those of a run: task, data, scale, and settings for an evaluation.

    The run's data override those of a preset, and flags and recipe files override the run's. The run's scale
    overrides the default scale, which is the first layer; its settings override the scale.
    """
    data = _data_layer(whole)
    given = tuple(value for value in whole.values if value.component is EVALUATE_RUN)
    settings = Layer(values=given, evaluation=whole.evaluation)
    if all(one is None for one in (request.scale, request.recipe, request.preset)):
        return [*layers[:1], data, settings, *layers[1:]]
    presets = (index for index, layer in enumerate(layers, start=1) if layer.preset)
    at = max(presets, default=0)
    return [settings, *layers[:at], evolve(data, scale=None), *layers[at:]]


def _last_layer(recipe: Path, registry: Registry) -> Layer:
    """Return the layer of a run's recipe file, which includes no other file."""
    return Files(registry=registry, slots=SLOTS).recipe(recipe, Origin(kind="recipe", file=str(recipe)))[-1]


def _data_layer(layer: Layer) -> Layer:
    """Return the task and the data set of a recipe with their settings, and its scale."""
    if layer.unread:
        return layer
    kept = (TASK, DATASET)
    chosen = {slot: layer.chosen[slot] for slot in kept if slot in layer.chosen}
    lost = any(choice.problem for choices in chosen.values() for choice in choices)
    return Layer(
        chosen=chosen,
        values=tuple(value for value in layer.values if value.slot in kept),
        scale=layer.scale,
        problems=tuple(problem for problem in layer.problems if problem.path.startswith(kept)),
        # An evaluation needs no plugins but those of the task and the data.
        made_with=layer.made_with if lost else {},
    )


def run_evaluation(
    resolved: ResolvedEvaluation,
    *,
    out: str | Path | None = None,
    observers: Sequence[Observer] = (),
    control: RunControl | None = None,
) -> Run:
    """Run the evaluation of a settled recipe and return the finished run."""
    folder = None if out is None else given_path(out)
    if folder is not None:
        refuse_taken(folder)  # at once: the engine imports torch
    from nascore.engine.build import Begun
    from nascore.engine.evaluate import evaluate as run

    near = () if resolved.run is None else (resolved.run,)
    path = run(
        resolved.description,
        resolved.recipe,
        resolved.registry,
        out=folder,
        observers=observers,
        near=near,
        begun=Begun(control=control or RunControl()),
    )
    return run_done(path)


def _still_open(target: object) -> Problem:
    named = isinstance(target, (str, Path))
    text = (
        f"{target if named else 'the description'} is open: some of its edges still have several candidates."
    )
    search = command_line("nascore", "search", "--space", f"file:{target}")
    hint = f"Search in it: {search}" if named else "Search first."
    return Problem(path="", text=text, hint=hint)


def _recipe_of(target: Target) -> Path | None:
    folder = target.path if isinstance(target, Run) else target
    file = given_path(folder) / RECIPE if isinstance(folder, (str, Path)) else None
    return file if file is not None and is_file(file) else None
