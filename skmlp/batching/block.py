"""The block in which fits are trained together."""

from contextlib import contextmanager
from numbers import Integral, Real

from joblib import parallel_config
from joblib.parallel import ParallelBackendBase, get_active_backend, register_parallel_backend
from sklearn.utils._param_validation import Interval, validate_params

from .joblib_backend import MAX_TASKS, STALL_TIMEOUT, BatchedBackend, BlockBackend, training_threads
from .worker_groups import GroupsBackend

register_parallel_backend("skmlp", BatchedBackend)


@contextmanager
@validate_params(
    {
        "n_jobs": [Integral, None],
        "backend": [str, ParallelBackendBase, None],
        "max_tasks": [Interval(Integral, 1, None, closed="left")],
        "max_bytes": [Interval(Real, 0, None, closed="neither"), None],
        "stall_timeout": [Interval(Real, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=False,
)
def batched_fits(
    n_jobs=None,
    backend=None,
    *,
    max_tasks=MAX_TASKS,
    max_bytes=None,
    stall_timeout=STALL_TIMEOUT,
):
    """Train together the fits that scikit-learn would run one by one, or in parallel.

    Inside the block, every search, cross-validation or ensemble that fits clones of
    :class:`RegularizedMLPRegressor` through joblib, alone or in pipelines, has them trained in
    stacks, nested ones as well. The numbers are those of the same code outside of it, bit for bit.
    Other estimators behave as always.

    Parameters
    ----------
    n_jobs : int or None, default=None
        Number of threads that train, or with ``backend`` of its workers; negative ones count from
        the number of cores. None is every core that the process may use and every worker of
        ``backend``; in a worker of joblib, dask or ray, the threads that it was given.

    backend : str, joblib.parallel.ParallelBackendBase or None, default=None
        Another backend of joblib, such as 'loky', 'dask' or 'ray', to spread the fits over. Each
        of its workers is sent one group of fits and trains it in stacks, on one thread. None
        trains here.

    max_tasks : int, default=512
        Number of fits that may wait for each other. Each of them has a thread, which sleeps.

    max_bytes : float or None, default=None
        Bytes of training data in the fits that may wait for each other; data they share count
        once. None is a quarter of the memory that is free.

    stall_timeout : float, default=300
        Seconds after which the others no longer wait for one that prepares its data: it may need
        a lock that one of them holds.

    Notes
    -----
    An explicit ``n_jobs=1`` in a call inside the block has that call run in the ordinary way, and
    so do calls that ask joblib for threads or shared memory, such as those of random forests.

    Where the loops are compiled a fit on small data (a megabyte) does not wait: it trains while
    others do what surrounds a fit, one of them at a time. From the first such fit to the end of the
    outermost call BLAS has one thread for all steps, as in the workers of joblib, unless one thread
    trains.

    Threads share Python's interpreter lock, and with it scikit-learn's part of each fit, which
    processes, ``backend='loky'``, do side by side. Networks of 500 units and more train as fast one
    by one.

    ``joblib.parallel_config(backend="skmlp")`` does the same, with ``n_threads`` for ``n_jobs``.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import cross_val_score
    >>> from skmlp import RegularizedMLPRegressor, batched_fits
    >>> X, y = load_diabetes(return_X_y=True)
    >>> mlp = RegularizedMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", random_state=0)
    >>> with batched_fits():
    ...     scores = cross_val_score(mlp, X, y, cv=3)
    >>> scores.round(2)
    array([0.47, 0.49, 0.51])
    """
    limits = {"max_tasks": max_tasks, "max_bytes": max_bytes, "stall_timeout": stall_timeout}
    if backend is None:
        training_threads(n_jobs)  # an n_jobs without meaning is an error here, not in a fit
        block = BatchedBackend(n_threads=n_jobs, **limits)
    else:
        with parallel_config(backend=backend):
            pass  # so is a backend that joblib does not know or cannot reach
        block = GroupsBackend(backend, n_jobs, **limits)
    with parallel_config(backend=block):
        yield


def in_batched_block():
    """Whether calls of joblib.Parallel made here are batched already."""
    return isinstance(get_active_backend()[0], BlockBackend)
