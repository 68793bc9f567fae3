"""Draws that do not depend on which tests ran before."""

import numpy as np


def begin_again(generator):
    """Set a generator to draw what a new one of seed one draws."""
    generator.bit_generator.state = np.random.default_rng(1).bit_generator.state
