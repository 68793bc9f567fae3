"""The paths of a fit as tasks: those of the whole data and of its folds, strength by strength."""


class PathTasks:
    """The paths, side by side, which have their strengths as parts.

    ``rows`` are those of each path's data; ``attributes_of(k, solution, strength)`` those of a fit
    that had stopped with one of its networks.
    """

    def __init__(self, task, rows, attributes_of):
        self._task, self._rows, self._attributes_of = task, rows, attributes_of

    def begin(self, n_strengths):
        """Begin all paths, of at most so many strengths."""
        n_paths = len(self._rows)
        self._all = self._task.part("paths", n_paths, are_in_turn=False)
        names = ["whole data", *(f"fold {k}" for k in range(n_paths - 1))]
        self._paths = [
            self._all.part(name, n_strengths, number=k, rows=rows)
            for k, (name, rows) in enumerate(zip(names, self._rows, strict=True))
        ]

    def begin_strength(self):
        """Begin the next strength of all paths."""
        self._parts = [path.part("strength") for path in self._paths]

    def end_strength(self, strength, solutions):
        """End it: True where the paths are to end with it."""
        ends = [
            part.end(lambda k=k, solution=s: self._attributes_of(k, solution, strength))
            for k, (part, s) in enumerate(zip(self._parts, solutions, strict=True))
        ]
        return any(ends)

    def end(self):
        """End all paths."""
        for path in self._paths:
            path.end()
        self._all.end()


class NoPaths:
    """Paths that nobody is told of."""

    def begin(self, n_strengths):
        """Nothing."""

    def begin_strength(self):
        """Nothing."""

    def end_strength(self, strength, solutions):
        """Go on."""
        return False

    def end(self):
        """Nothing."""


NO_PATHS = NoPaths()
