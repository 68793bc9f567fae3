import pytest
from support.draws import begin_again
from support.penalised_networks import RNG


@pytest.fixture(autouse=True)
def same_draws_in_any_order():
    """Each test draws as if it ran alone."""
    begin_again(RNG)
