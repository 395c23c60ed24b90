"""Eight published genotypes, as text.

:func:`nascore_darts.genotype.from_genotype` reads each by name or as text. The rebuilt networks have exactly
the published parameter counts (``tests/test_darts_counts.py``).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NASNET = """Genotype(
    normal=[
        ('sep_conv_5x5', 1), ('sep_conv_3x3', 0),
        ('sep_conv_5x5', 0), ('sep_conv_3x3', 0),
        ('avg_pool_3x3', 1), ('skip_connect', 0),
        ('avg_pool_3x3', 0), ('avg_pool_3x3', 0),
        ('sep_conv_3x3', 1), ('skip_connect', 1),
    ],
    normal_concat=[2, 3, 4, 5, 6],
    reduce=[
        ('sep_conv_5x5', 1), ('sep_conv_7x7', 0),
        ('max_pool_3x3', 1), ('sep_conv_7x7', 0),
        ('avg_pool_3x3', 1), ('sep_conv_5x5', 0),
        ('skip_connect', 3), ('avg_pool_3x3', 2),
        ('sep_conv_3x3', 2), ('max_pool_3x3', 1),
    ],
    reduce_concat=[4, 5, 6],
)"""

_AMOEBANET = """Genotype(
    normal=[
        ('avg_pool_3x3', 0), ('max_pool_3x3', 1),
        ('sep_conv_3x3', 0), ('sep_conv_5x5', 2),
        ('sep_conv_3x3', 0), ('avg_pool_3x3', 3),
        ('sep_conv_3x3', 1), ('skip_connect', 1),
        ('skip_connect', 0), ('avg_pool_3x3', 1),
    ],
    normal_concat=[4, 5, 6],
    reduce=[
        ('avg_pool_3x3', 0), ('sep_conv_3x3', 1),
        ('max_pool_3x3', 0), ('sep_conv_7x7', 2),
        ('sep_conv_7x7', 0), ('avg_pool_3x3', 1),
        ('max_pool_3x3', 0), ('max_pool_3x3', 1),
        ('conv_7x1_1x7', 0), ('sep_conv_3x3', 5),
    ],
    reduce_concat=[3, 4, 6],
)"""

_DARTS_V1 = """Genotype(
    normal=[
        ('sep_conv_3x3', 1), ('sep_conv_3x3', 0),
        ('skip_connect', 0), ('sep_conv_3x3', 1),
        ('skip_connect', 0), ('sep_conv_3x3', 1),
        ('sep_conv_3x3', 0), ('skip_connect', 2),
    ],
    normal_concat=[2, 3, 4, 5],
    reduce=[
        ('max_pool_3x3', 0), ('max_pool_3x3', 1),
        ('skip_connect', 2), ('max_pool_3x3', 0),
        ('max_pool_3x3', 0), ('skip_connect', 2),
        ('skip_connect', 2), ('avg_pool_3x3', 0),
    ],
    reduce_concat=[2, 3, 4, 5],
)"""

_DARTS_V2 = """Genotype(
    normal=[
        ('sep_conv_3x3', 0), ('sep_conv_3x3', 1),
        ('sep_conv_3x3', 0), ('sep_conv_3x3', 1),
        ('sep_conv_3x3', 1), ('skip_connect', 0),
        ('skip_connect', 0), ('dil_conv_3x3', 2),
    ],
    normal_concat=[2, 3, 4, 5],
    reduce=[
        ('max_pool_3x3', 0), ('max_pool_3x3', 1),
        ('skip_connect', 2), ('max_pool_3x3', 1),
        ('max_pool_3x3', 0), ('skip_connect', 2),
        ('skip_connect', 2), ('max_pool_3x3', 1),
    ],
    reduce_concat=[2, 3, 4, 5],
)"""

_PC_DARTS_CIFAR = """Genotype(
    normal=[
        ('sep_conv_3x3', 1), ('skip_connect', 0),
        ('sep_conv_3x3', 0), ('dil_conv_3x3', 1),
        ('sep_conv_5x5', 0), ('sep_conv_3x3', 1),
        ('avg_pool_3x3', 0), ('dil_conv_3x3', 1),
    ],
    normal_concat=range(2, 6),
    reduce=[
        ('sep_conv_5x5', 1), ('max_pool_3x3', 0),
        ('sep_conv_5x5', 1), ('sep_conv_5x5', 2),
        ('sep_conv_3x3', 0), ('sep_conv_3x3', 3),
        ('sep_conv_3x3', 1), ('sep_conv_3x3', 2),
    ],
    reduce_concat=range(2, 6),
)"""

_PC_DARTS_IMAGE = """Genotype(
    normal=[
        ('skip_connect', 1), ('sep_conv_3x3', 0),
        ('sep_conv_3x3', 0), ('skip_connect', 1),
        ('sep_conv_3x3', 1), ('sep_conv_3x3', 3),
        ('sep_conv_3x3', 1), ('dil_conv_5x5', 4),
    ],
    normal_concat=range(2, 6),
    reduce=[
        ('sep_conv_3x3', 0), ('skip_connect', 1),
        ('dil_conv_5x5', 2), ('max_pool_3x3', 1),
        ('sep_conv_3x3', 2), ('sep_conv_3x3', 1),
        ('sep_conv_5x5', 0), ('sep_conv_3x3', 3),
    ],
    reduce_concat=range(2, 6),
)"""

_PDARTS = """Genotype(
    normal=[
        ('skip_connect', 0), ('dil_conv_3x3', 1),
        ('skip_connect', 0), ('sep_conv_3x3', 1),
        ('sep_conv_3x3', 1), ('sep_conv_3x3', 3),
        ('sep_conv_3x3', 0), ('dil_conv_5x5', 4),
    ],
    normal_concat=range(2, 6),
    reduce=[
        ('avg_pool_3x3', 0), ('sep_conv_5x5', 1),
        ('sep_conv_3x3', 0), ('dil_conv_5x5', 2),
        ('max_pool_3x3', 0), ('dil_conv_3x3', 1),
        ('dil_conv_3x3', 1), ('dil_conv_5x5', 3),
    ],
    reduce_concat=range(2, 6),
)"""

_XNAS = """Genotype(
    normal=[
        ('sep_conv_3x3', 1), ('skip_connect', 0),
        ('sep_conv_3x3', 0), ('sep_conv_3x3', 2),
        ('sep_conv_3x3', 3), ('sep_conv_3x3', 1),
        ('dil_conv_5x5', 4), ('sep_conv_3x3', 0),
    ],
    normal_concat=[2, 3, 4, 5],
    reduce=[
        ('max_pool_3x3', 0), ('avg_pool_3x3', 1),
        ('avg_pool_3x3', 0), ('skip_connect', 2),
        ('dil_conv_3x3', 3), ('max_pool_3x3', 0),
        ('dil_conv_5x5', 4), ('avg_pool_3x3', 0),
    ],
    reduce_concat=[2, 3, 4, 5],
)"""

GENOTYPES: Mapping[str, str] = MappingProxyType(
    {
        "DARTS_V1": _DARTS_V1,  # arXiv 1806.09055, first order
        "DARTS_V2": _DARTS_V2,  # arXiv 1806.09055, second order
        "PC_DARTS_cifar": _PC_DARTS_CIFAR,  # arXiv 1907.05737
        "PC_DARTS_image": _PC_DARTS_IMAGE,  # arXiv 1907.05737
        "PDARTS": _PDARTS,  # arXiv 1904.12760
        "XNAS": _XNAS,  # arXiv 1906.08031
        "NASNet": _NASNET,  # arXiv 1707.07012, as written down by the authors of DARTS
        "AmoebaNet": _AMOEBANET,  # arXiv 1802.01548, as written down by the authors of DARTS
    }
)
"""Published genotype texts by the name under which they are known."""
