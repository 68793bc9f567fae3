"""How paths are run: training sets and folds along one grid of strengths, trained together."""
