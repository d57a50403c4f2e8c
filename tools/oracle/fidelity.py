# SPDX-License-Identifier: Apache-2.0
"""torch-fidelity without torchvision, of which the parts used here need nothing. (torchvision's wheels
want CUDA's libraries even to be imported.)"""

import sys
from unittest import mock


def import_torch_fidelity():
    names = ("torchvision", "torchvision.transforms", "torchvision.datasets", "torchvision.models",
             "torchvision.transforms.functional")
    with mock.patch.dict(sys.modules, {name: mock.MagicMock() for name in names}):
        import torch_fidelity
        import torch_fidelity.feature_extractor_inceptionv3
        import torch_fidelity.metric_prc
    return torch_fidelity
