"""Descriptions: networks and search spaces as data; no torch."""

from nascore.description.derive import NOTHING, Matrix, Pick, Picks, choose, derive, final
from nascore.description.edits import reducing, resize, spread, untie, with_auxiliary, without_auxiliary
from nascore.description.expand import expand
from nascore.description.fingerprint import fingerprint
from nascore.description.graph import Description, Graph
from nascore.description.growth import candidate_sources, grow, settle
from nascore.description.neighbours import edge_moves, neighbours, operation_changes, recover_picks
from nascore.description.operation import Catalogue, Operation, resolved
from nascore.description.plan import ChoiceGroup, FeatureMap, Plan, Use, Wire
from nascore.description.random_draws import draw_architectures, draw_picks, mutate_picks
from nascore.description.text import draw, dump, load, to_dot
from nascore.description.translate import FromText, Passage, Pretrained, Translator, passages
from nascore.description.values import Edge, Group, Node, Op

__all__ = [
    "NOTHING",
    "Catalogue",
    "ChoiceGroup",
    "Description",
    "Edge",
    "FeatureMap",
    "FromText",
    "Graph",
    "Group",
    "Matrix",
    "Node",
    "Op",
    "Operation",
    "Passage",
    "Pick",
    "Picks",
    "Plan",
    "Pretrained",
    "Translator",
    "Use",
    "Wire",
    "candidate_sources",
    "choose",
    "derive",
    "draw",
    "draw_architectures",
    "draw_picks",
    "dump",
    "edge_moves",
    "expand",
    "final",
    "fingerprint",
    "grow",
    "load",
    "mutate_picks",
    "neighbours",
    "operation_changes",
    "passages",
    "recover_picks",
    "reducing",
    "resize",
    "resolved",
    "settle",
    "spread",
    "to_dot",
    "untie",
    "with_auxiliary",
    "without_auxiliary",
]
