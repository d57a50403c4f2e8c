# SPDX-License-Identifier: Apache-2.0
"""torch-fidelity without torchvision, which its parts used here do not need (see common.use_torchvision)."""

import functools
import os
import sys
from unittest import mock

import common


@functools.cache
def import_torch_fidelity():
    names = ("torchvision", "torchvision.transforms", "torchvision.datasets", "torchvision.models",
             "torchvision.transforms.functional")
    apart = os.environ.get("ORACLE_APART", str(common.REPOSITORY / ".deps" / "oracle-apart"))
    with mock.patch.dict(sys.modules, {name: mock.MagicMock() for name in names}), \
            mock.patch.object(sys, "path", [*sys.path, apart]):
        import torch_fidelity
        import torch_fidelity.feature_extractor_inceptionv3
        import torch_fidelity.metric_prc
    return torch_fidelity
