"""When a network answers as its framework does."""
import numpy as np


def compare(got, want):
    """None within |got - want| <= 1e-4 |want| + 1e-5 max|want| and with the same five best; else what is wrong."""
    if got.shape != want.shape:
        return f"shape {got.shape}, not {want.shape}"
    bound = 1e-4 * np.abs(want) + 1e-5 * np.abs(want).max()
    worst = (np.abs(got.astype(np.float64) - want) / bound).max()
    if not worst <= 1:
        return f"{worst:.3g} times the bound"
    if want.ndim == 2 and not (np.argsort(-got)[:, :5] == np.argsort(-want)[:, :5]).all():
        return "other five best"
    return None
