"""Which functions of a module count as hooks."""

from functools import cache
from types import ModuleType, SimpleNamespace

import pytest
from recipe_sample import TABLE, part

from nascore.component import hookimpl, hookspec
from nascore.plugin import Registry

MINE = part("mine", "updater")


def module(**members):
    made = ModuleType("made_up")
    vars(made).update(members)
    return made


def loaded(item, **more):
    return {one.name: one for one in Registry.of(TABLE, mine=item, **more).plugins}["mine"]


def updaters(**options):
    @hookimpl(**options)
    def bring():
        return [MINE]

    return bring


class Proxy:
    """What a lazy import leaves in a module: it raises whatever is asked of it."""

    def __getattribute__(self, name):
        raise RuntimeError(name)


@pytest.mark.parametrize("make", [module, SimpleNamespace])
def test_two_functions_for_one_hook_are_not_silently_one(make):
    plugin = loaded(make(nascore_updaters=updaters(), other=updaters(specname="nascore_updaters")))
    assert plugin.status == "broken"
    assert plugin.reason == "nascore_updaters is implemented twice, by nascore_updaters and other"
    assert plugin.cure == "Make one function of both."


def test_one_function_with_two_names_is_one():
    once = updaters(specname="nascore_updaters")
    assert loaded(module(one=once, other=once)).components[0].name == "mine"


def test_a_hook_that_is_added_under_another_name_is_called():
    def nascore_wibbles():
        """Wibbles."""

    own = SimpleNamespace(nascore_wibbles=hookspec(nascore_wibbles))
    adding = hookimpl(specname="nascore_addhooks")(lambda: [own])
    plugin = loaded(module(nascore_wibbles=hookimpl(lambda: [3])), adding=module(more=adding))
    assert (plugin.status, plugin.added) == ("ready", {"nascore_wibbles": (3,)})


@pytest.mark.parametrize("make", [module, SimpleNamespace])
def test_what_cannot_be_a_hook_is_not_touched(make):
    plugin = loaded(make(nascore_updaters=updaters(), torch=Proxy(), _hidden=Proxy()))
    assert (plugin.status, plugin.reason) == ("ready", "")


def test_what_a_module_would_only_load_is_not_loaded():
    def load(name):
        raise ImportError(name)

    lazy = module(
        nascore_updaters=updaters(), __getattr__=load, __dir__=lambda: ["nascore_updaters", "heavy"]
    )
    assert loaded(lazy).status == "ready"


def test_methods_and_cached_functions_are_hooks_under_any_name():
    class Bringing:
        @hookimpl(specname="nascore_updaters")
        def bring(self):
            return [MINE]

    assert loaded(Bringing()).components[0].name == "mine"
    cached = hookimpl(specname="nascore_updaters")(cache(lambda: [MINE]))
    assert loaded(module(bring=cached)).components[0].name == "mine"
