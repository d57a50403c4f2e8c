# SPDX-License-Identifier: Apache-2.0
"""tests/oracle/metrics: pairs of feature sets, and what others measure on them.

fid_sqrtm        scipy.linalg.sqrtm of the product of both covariances, as clean-fid and pytorch-fid do it
fid_eigh         the same trace from eigenvalues of the symmetric S1^1/2 S2 S1^1/2, both by numpy.linalg.eigh
kid              clean-fid's sums on the whole sets (its subsets are the whole where both sets have one size)
cmmd             the formula of the paper's program: biased, sigma 10, scale 1000
precision        torch-fidelity's with 3 neighbours
recall           torch-fidelity's with 3 neighbours
density          the prdc package's with 5 neighbours
coverage         the prdc package's with 5 neighbours
"""

import contextlib
import io

import numpy as np
import scipy.linalg
import torch
from prdc import compute_prdc

import common
from fidelity import import_torch_fidelity

SEED = 60


def mixed(generator, n, d, scale=1.0, shift=0.0):
    """Correlated features: a random mixture of normal numbers."""
    mixing = np.random.default_rng(7).normal(size=(d, d)) / d ** 0.5
    return scale * generator.normal(size=(n, d)) @ mixing + shift


def flat(generator, n, shift):
    """Three dimensions' worth of numbers in twelve columns, one of them constant, two of them equal."""
    rows = generator.normal(size=(n, 3)) @ np.random.default_rng(8).normal(size=(3, 12)) + shift
    rows[:, 4] = 2.5
    rows[:, 9] = rows[:, 1]
    return rows


def on_sphere(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def pairs():
    generator = np.random.default_rng(SEED)
    yield "plain", mixed(generator, 120, 8), mixed(generator, 150, 8, 1.2, 0.1)
    yield "few", mixed(generator, 40, 64), mixed(generator, 30, 64, 1.1, 0.2)
    yield "flat", flat(generator, 100, 0.0), flat(generator, 90, 0.3)
    same = mixed(generator, 70, 10)
    yield "same", same, same.copy()
    yield "copies", same, np.concatenate([same[:20], same[:20], same[5:6]])
    pools = [np.abs(mixed(generator, 160, 24, 0.4, shift)) for shift in (0.3, 0.33)]
    yield "pools", *pools
    yield "sphere", on_sphere(mixed(generator, 60, 32, 1, 0.5)), on_sphere(mixed(generator, 60, 32, 1, 0.4))


def fid_sqrtm(x, y):
    mean_x, mean_y = x.mean(0), y.mean(0)
    cov_x, cov_y = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(cov_x.dot(cov_y))
    if not np.isfinite(root).all():
        offset = np.eye(len(cov_x)) * 1e-6
        root = scipy.linalg.sqrtm((cov_x + offset).dot(cov_y + offset))
    gap = mean_x - mean_y
    return gap.dot(gap) + np.trace(cov_x) + np.trace(cov_y) - 2 * np.trace(np.real(root))


def fid_eigh(x, y):
    cov_x, cov_y = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    values, vectors = np.linalg.eigh(cov_x)
    root = vectors * np.sqrt(np.clip(values, 0, None)) @ vectors.T
    shared = np.sqrt(np.clip(np.linalg.eigvalsh(root @ cov_y @ root), 0, None)).sum()
    gap = x.mean(0) - y.mean(0)
    return gap.dot(gap) + np.trace(cov_x) + np.trace(cov_y) - 2 * shared


def kid(x, y):
    def cube(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    def others(a):
        kernel = cube(a, a)
        return (kernel.sum() - np.trace(kernel)) / (len(a) * (len(a) - 1))
    return others(x) + others(y) - 2 * cube(x, y).mean()


def cmmd(x, y):
    def kernel(a, b):
        squares = (a ** 2).sum(1)[:, None] + (b ** 2).sum(1)[None] - 2 * a @ b.T
        return np.exp(-squares / (2 * 10 ** 2)).mean()
    return 1000 * (kernel(x, x) + kernel(y, y) - 2 * kernel(x, y))


def main():
    args = common.arguments(__doc__)
    folder = common.fresh_data(args.out / "metrics")
    fidelity = import_torch_fidelity()
    calculate = fidelity.metric_prc.calculate_precision_recall_full
    tensors, expected = {}, {}
    for name, real, synthetic in pairs():
        real, synthetic = (rows.astype(np.float32) for rows in (real, synthetic))
        tensors[f"{name}.real"], tensors[f"{name}.synthetic"] = map(torch.from_numpy, (real, synthetic))
        x, y = real.astype(np.float64), synthetic.astype(np.float64)
        precision, recall = calculate(torch.from_numpy(y), torch.from_numpy(x), 3)
        with contextlib.redirect_stdout(io.StringIO()):
            crowd = compute_prdc(x, y, 5)
        expected[name] = dict(
            fid_sqrtm=fid_sqrtm(x, y), fid_eigh=fid_eigh(x, y), kid=kid(x, y), cmmd=cmmd(x, y),
            precision=precision, recall=recall, density=crowd["density"], coverage=crowd["coverage"])
        expected[name] = {key: float(value) for key, value in expected[name].items()}
    common.save_tensors(folder / "features.safetensors", tensors)
    common.write_json(folder / "expected.json", expected)
    common.write_note(
        folder, __file__, SEED,
        {"features.safetensors": "CASE.real and CASE.synthetic", "expected.json": "figures of each case"},
        ("numpy", "scipy", "prdc"), relative=1e-3, torch_fidelity=fidelity.__version__,
        figures=[line for line in __doc__.splitlines()[2:] if line])


if __name__ == "__main__":
    main()
