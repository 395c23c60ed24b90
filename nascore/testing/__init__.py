"""The conformance kit: what a plugin's author proves a part with.

One subclass that names the component is a whole first test file::

    from nascore.testing import UpdaterConformance

    class TestMine(UpdaterConformance):
        component = "mine"

``nascore check-plugin NAME`` runs the same checks and reports in sentences.
"""

from nascore.testing.conformance import Conformance, NotConformingError, Outcome, checks_of, examined

__all__ = ["Conformance", "NotConformingError", "Outcome", "checks_of", "examined"]
