"""The plugin's parts pass the kit."""

from __future__ import annotations

from nascore.testing import PluginConformance, SpaceConformance


class TestPlugin(PluginConformance):
    plugin = "nascore-spaces"


class TestMbconv(SpaceConformance):
    component = "mbconv"


class TestResnet(SpaceConformance):
    component = "resnet"


class TestDartsS1(SpaceConformance):
    component = "darts-s1"


class TestDartsS2(SpaceConformance):
    component = "darts-s2"


class TestDartsS3(SpaceConformance):
    component = "darts-s3"


class TestDartsS4(SpaceConformance):
    component = "darts-s4"


class TestNb101(SpaceConformance):
    component = "nb101"


class TestMacro(SpaceConformance):
    component = "macro"
