"""The lane of an event: by the names of its fields, and by what decides its logsource. A bounded number is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fsoc.detection.detector import Stated, stated_logsource
from fsoc.detection.fast.lane import Lane, values_of
from fsoc.detection.fast.memo import Ledger
from fsoc.detection.fast.searches import Searches
from fsoc.detection.fast.views import CompiledRoute
from fsoc.detection.logsource import Logsource
from fsoc.detection.routes import Route, Router

ROUTES_MAX: Final = 256
SHAPES_MAX: Final = 1024
LANES_MAX: Final = 8192
"""Over all shapes. Past each of these three all are forgotten; events of a new kind find them anew."""
LANES_BYTES_MAX: Final = 32 * 2**20
"""Of what lanes remember of values; as above."""
SHAPE_FIELDS_MAX: Final = 256
SHAPE_CHARACTERS_MAX: Final = 8192
"""Events with more fields, or longer names, have no lane that is remembered."""
DECIDING_LENGTH_MAX: Final = 256
_DECIDING_TYPES: Final = frozenset((str, int, type(None)))


class _Shape:
    """Events with the same fields in the same order; deciding takes the values that decide their route."""

    __slots__ = ("by_decision", "by_route", "deciding", "names")

    def __init__(self, names: frozenset[str], deciding: tuple[str, ...]) -> None:
        self.names = names
        self.deciding = values_of([name for name in deciding if name in names])
        self.by_decision: dict[Any, tuple[list[type], Lane]] = {}
        self.by_route: dict[int, Lane] = {}


class Lanes:
    """Lanes of one set of searches."""

    def __init__(self, router: Router, searches: Searches, ledger: Ledger) -> None:
        self._router = router
        self._deciding = router.deciding
        self._searches = searches
        self._ledger = ledger
        self._shapes: dict[tuple[str, ...], _Shape] = {}
        self._routes: dict[int, CompiledRoute] = {}
        self._lanes = 0
        self._bytes = 0

    def lane(self, fields: dict[str, Any], stated: Stated) -> Lane:
        """The lane of an event.

        Raises:
            ValueError: what is stated is no logsource.
        """
        names = tuple(fields)
        shape = self._shapes.get(names)
        if shape is None:
            shape = self._shape(names)
        key = shape.deciding(fields)
        if stated is not None:
            if type(stated) is dict:
                key = (stated.get("product"), stated.get("category"), stated.get("service"), *key)
            elif type(stated) is Logsource:  # is taken as it is, where a mapping is read without case
                key = (None, stated.product, stated.category, stated.service, *key)
            else:
                return self._new(shape, fields, stated)
        try:
            types, found = shape.by_decision[key]
        except (KeyError, TypeError):
            return self._new(shape, fields, stated, key)
        # 1, 1.0 and True are equal as keys and not as values.
        return found if [*map(type, key)] == types else self._new(shape, fields, stated)

    def _new(
        self, shape: _Shape, fields: Mapping[str, Any], stated: Stated, key: tuple[Any, ...] | None = None
    ) -> Lane:
        route = self._router.route(fields, stated_logsource(stated))
        found = shape.by_route.get(id(route))
        if found is None:
            compiled = self._compiled(route)
            found = Lane(compiled, shape.names, self._charge)
            self._count()
            shape.by_route[id(route)] = found
        if key is not None and all(
            type(value) in _DECIDING_TYPES and (type(value) is not str or len(value) <= DECIDING_LENGTH_MAX)
            for value in key
        ):
            self._count()
            shape.by_decision[key] = [*map(type, key)], found
        return found

    def _shape(self, names: tuple[str, ...]) -> _Shape:
        shape = _Shape(frozenset(names), self._deciding)
        if len(names) <= SHAPE_FIELDS_MAX and sum(len(str(name)) for name in names) <= SHAPE_CHARACTERS_MAX:
            if len(self._shapes) >= SHAPES_MAX:
                self._forget_shapes()
            self._shapes[names] = shape
        return shape

    def _compiled(self, route: Route) -> CompiledRoute:
        found = self._routes.get(id(route))
        if found is None:
            if len(self._routes) >= ROUTES_MAX:
                self._forget_shapes()
                self._routes.clear()
                self._ledger.forget()
            found = self._routes[id(route)] = CompiledRoute(route, self._searches, self._ledger)
        return found

    def _count(self) -> None:
        self._lanes += 1
        if self._lanes > LANES_MAX:
            self._forget_shapes()

    def _charge(self, taken: int) -> None:
        self._bytes += taken
        if self._bytes > LANES_BYTES_MAX:
            self._forget_shapes()

    def _forget_shapes(self) -> None:
        self._shapes.clear()
        self._lanes = 0
        self._bytes = 0
