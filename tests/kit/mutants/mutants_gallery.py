"""Hulls and hypervolumes that are broken on purpose; the checks of the tests must refuse each."""

from __future__ import annotations

from fractions import Fraction

from attrs import evolve

from nascore.gallery import front
from nascore.gallery.front import eps_hull


def upper(monkeypatch):
    """The hull from above."""

    def turned(points):
        return [(x, -y) for x, y in lower([(x, -y) for x, y in points])]

    lower = front.lower_hull
    monkeypatch.setattr(front, "lower_hull", turned)


def rising(monkeypatch):
    """Without the point that keeps the hull from rising: it ends at the costliest entry."""
    monkeypatch.setattr(front, "beyond", max)


def tail_of_the_last(monkeypatch):
    """The further point takes the error of the costliest entry rather than the lowest."""
    monkeypatch.setattr(front, "beyond", lambda points: (2 * max(points)[0], max(points)[1]))


def eps_of_cost(monkeypatch):
    """The allowance is one of the cost: the hull is read further to the left."""
    height = front.height

    def allowing(corners, x, eps=Fraction(1, 40)):
        return height(corners, max(corners[0][0], x / (1 + eps))) / (1 + eps)

    monkeypatch.setattr(front, "height", allowing)


def without_eps(monkeypatch):
    """The allowance is forgotten."""
    monkeypatch.setattr(front, "Fraction", lambda value: Fraction(0 if value == 0.025 else value))


def stairs(monkeypatch):
    """No line between the corners: the error of the corner to the left counts until the next."""
    monkeypatch.setattr(front, "height", lambda corners, x: [y for left, y in corners if left <= x][-1])


def front_for_hull(monkeypatch):
    """Every corner of the front counts as one of the hull, convex or not."""
    monkeypatch.setattr(front, "_below", lambda *_: True)


def accuracy_for_error(monkeypatch):
    """Accuracy is taken for the error."""
    mirrored(monkeypatch, lambda entry: 1 - entry.error)


def train_for_validation(monkeypatch):
    """The error on the training images is taken, which falls with every parameter."""
    mirrored(monkeypatch, lambda entry: 1 / (1 + entry.costs["macs"]))


def mirrored(monkeypatch, error):
    def broken(entries, *words):
        entries = list(entries)
        found = {one.id for one in eps_hull([evolve(entry, error=error(entry)) for entry in entries], *words)}
        return tuple(sorted((one for one in entries if one.id in found), key=lambda one: one.costs["macs"]))

    monkeypatch.setattr("nascore.gallery.gallery.eps_hull", broken)


HULLS = (
    upper,
    rising,
    tail_of_the_last,
    eps_of_cost,
    without_eps,
    stairs,
    front_for_hull,
    accuracy_for_error,
    train_for_validation,
)


def every_rectangle(monkeypatch):
    """Rectangles are added up, and what two cover counts twice."""

    def broken(entries, cost, reference):
        error, edge = reference
        inside = ((edge - one.costs[cost], error - one.error) for one in entries)
        return sum(max(0, a) * max(0, b) for a, b in inside) / (error * edge)

    monkeypatch.setattr("nascore.gallery.gallery.hypervolume", broken)


def beyond_the_point(monkeypatch):
    """What lies beyond the reference point takes away."""

    def broken(entries, cost, reference):
        worst, edge = map(Fraction, reference)
        covered, lowest = Fraction(0), worst
        for x, y in sorted((Fraction(one.costs[cost]), Fraction(one.error)) for one in entries):
            if y < lowest:
                covered, lowest = covered + (edge - x) * (lowest - y), y
        return float(covered / (worst * edge))

    monkeypatch.setattr("nascore.gallery.gallery.hypervolume", broken)


def largest_cost_itself(monkeypatch):
    """The reference point lies at the largest cost, so the costliest covers nothing."""
    monkeypatch.setattr(front, "MARGIN", Fraction(1))


def best_alone(monkeypatch):
    """Only the entry with the lowest error counts."""
    whole = front.hypervolume

    def broken(entries, *words):
        return whole([min(entries, key=lambda one: one.error)], *words)

    monkeypatch.setattr("nascore.gallery.gallery.hypervolume", broken)


def absolute(monkeypatch):
    """The volume itself, no share of anything."""
    whole = front.hypervolume

    def broken(entries, cost, reference):
        return whole(entries, cost, reference) * reference[0] * reference[1]

    monkeypatch.setattr("nascore.gallery.gallery.hypervolume", broken)


VOLUMES = (every_rectangle, beyond_the_point, largest_cost_itself, best_alone, absolute)
