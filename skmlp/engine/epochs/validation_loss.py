"""Loss and score of networks on validation rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from ..network.batch_loss import batch_loss
from ..network.layout import Layout
from ..network.perceptron import output_blocks
from ..network.rows import RowLoader
from ..runtime import one_fit
from ..task import Program, Samples, Task, Weights


def validate(
    program: Program, layout: Layout, flat: torch.Tensor, rows: RowLoader
) -> list[tuple[float, float]]:
    """(mean loss, the loss's score) of each model of a stack on its rows."""
    loss = program.loss
    total, predictions = 0.0, []
    for batch, output in output_blocks(program, layout.views(flat), rows):
        if batch.offset is not None:
            output.add_(batch.offset)
        predictions.append(loss.mean(torch, output).cpu().double().numpy().copy())
        value, _ = batch_loss(loss, output, batch.y, batch.weight)
        total = total + value.cpu().double().numpy() * (batch.n_rows / rows.samples[0].n_rows)
    predictions = np.concatenate(predictions, axis=1)
    return [
        (float(value), loss.score(samples.y, prediction, samples.relative_weight()))
        for value, samples, prediction in zip(
            total, rows.samples_of_models, predictions, strict=True
        )
    ]


def judge(program: Program, output: np.ndarray, samples: Samples) -> tuple[float, float]:
    """(mean loss, score) of one network from its outputs before the link (n, q)."""
    loss, weight = program.loss, samples.relative_weight()
    y = torch.from_numpy(np.ascontiguousarray(samples.y, dtype=output.dtype))[None]
    outputs = torch.from_numpy(output if samples.offset is None else output + samples.offset)[None]
    prediction = loss.mean(torch, outputs)[0].double().numpy().copy()
    share = None if samples.weight is None else torch.from_numpy(weight.astype(output.dtype))[None]
    value, _ = batch_loss(loss, outputs, y, share)
    return float(value), loss.score(samples.y, prediction, weight)


def validate_weights(task: Task, weights: Weights) -> tuple[float, float]:
    """(mean loss, score) of one network, batch normalisation folded, on the validation rows."""
    return validate(*_loaded(task, weights, task.validation))[0]


def training_outputs(task: Task, weights: Weights) -> np.ndarray:
    """Outputs before the link (n, q) on training rows, with their offset, of a network.

    Batch normalisation is folded.
    """
    return _outputs(task, weights) + task.train.shift


def inputs_of_last_layer(task: Task, weights: Weights):
    """What the last layer takes (n, n_units) of training rows: X, or what hidden units give."""
    if task.program.n_layers == 1:
        return task.train.matrix().astype(np.float64)
    *sizes, _ = task.program.layer_sizes
    program = replace(task.program, layer_sizes=(*sizes, sizes[-1]))
    coefs = [*weights.coefs[:-1], np.eye(sizes[-1])]
    intercepts = [*weights.intercepts[:-1], np.zeros(sizes[-1])]
    weights = weights._replace(coefs=coefs, intercepts=intercepts)
    return _outputs(replace(task, program=program), weights)


def _outputs(task: Task, weights: Weights) -> np.ndarray:
    with one_fit():
        program, layout, flat, rows = _loaded(task, weights, task.train)
        blocks = output_blocks(program, layout.views(flat), rows)
        return np.concatenate([output[0].numpy().copy() for _, output in blocks])


def _loaded(
    task: Task, weights: Weights, samples: Samples
) -> tuple[Program, Layout, torch.Tensor, RowLoader]:
    """A plain network and rows, in float64 on the CPU."""
    program = task.program.folded
    layout = Layout(program)
    flat = torch.tensor(layout.pack(weights)[None], dtype=torch.float64, device="cpu")
    return program, layout, flat, RowLoader([samples], torch.float64, torch.device("cpu"))
