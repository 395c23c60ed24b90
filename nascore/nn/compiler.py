"""Compiles a description into a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from nascore.component import load
from nascore.description import expand, resolved
from nascore.errors import DescriptionError, Problem, did_you_mean
from nascore.nn.execution import Plain
from nascore.nn.fused import EXECUTIONS
from nascore.nn.mixture_weights import GroupShape
from nascore.nn.network import Network
from nascore.nn.operations.normalization import set_running_statistics
from nascore.nn.program import write_program
from nascore.nn.recomputation import Recomputed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nascore.description import Catalogue, Description, Op, Plan, Wire
    from nascore.description.names import Scalar
    from nascore.nn.execution import Execution

    Builder = Callable[[nn.ModuleDict, nn.ParameterDict], Execution]


def compile(  # noqa: A001 - what it does to a description is what it is called
    description: Description,
    catalogue: Catalogue,
    *,
    execution: str | Builder = "plain",
    recompute: bool = False,
) -> Network:
    """Return the network of a description.

    Each operation of each edge gets its own module, also in states that the output does not need. Initial
    weights are drawn from torch's global generator, in the order of the plan. Batch norms keep running
    statistics, except those of candidates: see
    :func:`~nascore.nn.operations.normalization.set_running_statistics`.

    Args:
        description: Open for a supernet, closed for an ordinary network.
        catalogue: The operations that it may name.
        execution: The way in which the network computes: ``plain``, ``fused``, ``batched``, or a class.
        recompute: Whether the features inside of a cell are computed again in the backward pass, instead of
            kept in memory.

    Raises:
        DescriptionError: With every problem of the description, before any module is built; or the execution
            does not exist.
        PluginError: An operation cannot be imported.
    """
    plan = expand(description, catalogue)
    computes = _execution(execution)
    wires = [wire for state in plan.feature_maps for wire in state.wires]
    ops = nn.ModuleDict(dict(_modules(wires, description, catalogue)))
    gates = nn.ParameterDict({wire.path: nn.Parameter(torch.zeros(())) for wire in wires if wire.gate})
    heads = [] if plan.auxiliary is None else [plan.auxiliary]
    return Network(
        ops=ops,
        gates=gates,
        shapes=shapes(plan),
        training=write_program(plan, catalogue, [plan.output, *heads]),
        inference=write_program(plan, catalogue, [plan.output]),
        execution=_recomputed(computes(ops, gates), ops, gates) if recompute else computes(ops, gates),
    )


def _execution(execution: str | Builder) -> Builder:
    """Return the class of an execution of the core, or the class itself."""
    if not isinstance(execution, str):
        return execution
    if execution not in EXECUTIONS:
        hint = did_you_mean(execution, EXECUTIONS)
        text = f"the execution {execution!r} does not exist."
        raise DescriptionError([Problem(path="execution", text=text, hint=hint)])
    return EXECUTIONS[execution]


def _recomputed(execution: Execution, ops: nn.ModuleDict, gates: nn.ParameterDict) -> Recomputed:
    if not isinstance(execution, Plain):
        text = (
            f"the execution {type(execution).__name__} cannot recompute features: it is no subclass of Plain."
        )
        raise DescriptionError([Problem(path="execution.recompute", text=text)])
    return Recomputed(execution, ops, gates)


def build(op: Op, wire: Wire, description: Description, catalogue: Catalogue) -> nn.Module:
    """Return a new module for an operation on this wire."""
    kind, settings = kind_of(op, description, catalogue)
    return kind(wire.c_in, wire.width, wire.stride, **settings)


def kind_of(
    op: Op, description: Description, catalogue: Catalogue
) -> tuple[Callable[..., nn.Module], dict[str, Scalar]]:
    """Return the class or function that builds an operation of this description, and its settings."""
    entry = catalogue[op.name]
    return load(entry.build), resolved(op, entry, description)


def shapes(plan: Plan) -> dict[str, GroupShape]:
    """Return the shape of each choice group of a plan."""
    return {
        name: GroupShape(replicas=layout.replicas, rows=len(layout.rows), columns=len(layout.ops))
        for name, layout in plan.layouts.items()
    }


def _modules(
    wires: list[Wire], description: Description, catalogue: Catalogue
) -> Iterator[tuple[str, nn.Module]]:
    for wire in wires:
        for op in wire.ops:
            module = build(op, wire, description, catalogue)
            set_running_statistics(module, keep=wire.group is None)
            yield wire.op_path(op), module
