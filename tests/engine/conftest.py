import pytest
from support.draws import begin_again


@pytest.fixture(autouse=True)
def same_draws_in_any_order(request):
    """Each test draws as if it ran alone, from its module's generator ``RNG`` where it has one."""
    generator = getattr(request.module, "RNG", None)
    if generator is not None:
        begin_again(generator)
