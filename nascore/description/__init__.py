"""Networks and spaces of networks as data; no torch."""

from nascore.description.derive import NOTHING, derive, final
from nascore.description.draw import draw, to_dot
from nascore.description.expand import expand
from nascore.description.fingerprint import fingerprint
from nascore.description.growing_place import candidate_sources
from nascore.description.growth import grow, settle
from nascore.description.operation import Catalogue, Operation, resolved
from nascore.description.picks import Matrix, Pick, Picks, choose
from nascore.description.plan import ChoiceGroup, Plan, State, Use, Wire
from nascore.description.scaling import reducing, resize, spread, with_auxiliary, without_auxiliary
from nascore.description.text import dump, load
from nascore.description.translate import FromText, Passage, Translator, passages
from nascore.description.untie import untie
from nascore.description.values import Description, Edge, Graph, Group, Node, Op

__all__ = [
    "NOTHING",
    "Catalogue",
    "ChoiceGroup",
    "Description",
    "Edge",
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
    "State",
    "Translator",
    "Use",
    "Wire",
    "candidate_sources",
    "choose",
    "derive",
    "draw",
    "dump",
    "expand",
    "final",
    "fingerprint",
    "grow",
    "load",
    "passages",
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
