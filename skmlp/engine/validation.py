"""Loss and score of networks on validation rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from .layout import Layout
from .losses import LOSSES
from .network import output_blocks
from .rows import RowLoader
from .task import Program, Task, Weights


def validate(
    program: Program, layout: Layout, flat: torch.Tensor, rows: RowLoader
) -> list[tuple[float, float]]:
    """(mean loss, R2 averaged over the outputs) of each model of a stack on its rows."""
    loss = LOSSES[program.loss]
    total, predictions = 0.0, []
    for batch, output in output_blocks(program, layout.views(flat), rows):
        predictions.append(loss.mean(output).cpu().double().numpy().copy())
        value, _ = loss.value_and_derivative(output, batch.y, batch.weight)
        total = total + value.cpu().double().numpy() * (batch.n_rows / rows.samples[0].n_rows)
    predictions = np.concatenate(predictions, axis=1)
    return [
        (float(value), r2(samples.y, prediction, samples.relative_weight()))
        for value, samples, prediction in zip(
            total, rows.samples_of_models, predictions, strict=True
        )
    ]


def validate_weights(task: Task, weights: Weights) -> tuple[float, float]:
    """(mean loss, R2) of one network, batch normalisation folded, on a task's validation rows."""
    program = task.program
    if program.normalization == "batch":
        program = replace(program, normalization=None)
    layout = Layout(program)
    flat = torch.tensor(layout.pack(weights)[None], dtype=torch.float64, device="cpu")
    rows = RowLoader([task.validation], torch.float64, torch.device("cpu"))
    return validate(program, layout, flat, rows)[0]


def r2(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray) -> float:
    """1 - residual / total sum of squares, averaged over outputs; NaN for non-finite predictions.

    A constant output counts one where it is met and zero where it is not, as in scikit-learn.
    """
    if not np.isfinite(prediction).all():
        return float("nan")
    y = y.astype(np.float64)
    residual = (weight * (y - prediction) ** 2).sum(0)
    total = (weight * (y - (weight * y).mean(0)) ** 2).sum(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        score = 1 - residual / total
    score = np.where(total > 0, score, np.where(residual > 0, 0.0, 1.0))
    return float(score.mean())
