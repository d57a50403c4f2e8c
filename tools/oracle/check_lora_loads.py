# SPDX-License-Identifier: Apache-2.0
"""Loads a LoRA file with diffusers and says whether every tensor of it arrived unchanged.

    python tools/oracle/check_lora_loads.py MODEL_FOLDER LORA_FILE

Fails on tensors that diffusers did not take, on LoRA layers that the file left empty, on changed
values and on a scale other than the alpha / rank of the file's metadata.
"""

import argparse
import json
import sys
from pathlib import Path

import common  # sets the offline switch before diffusers looks at it
import torch
from diffusers import StableDiffusionPipeline
from peft.tuners.lora import LoraLayer
from safetensors import safe_open

SPELLINGS = {".lora_linear_layer.down.": ".lora_A.", ".lora_linear_layer.up.": ".lora_B.",
             ".lora.down.": ".lora_A.", ".lora.up.": ".lora_B."}


def read_file(path):
    """Tensors under their lora_A/lora_B names, and the adapter settings of the metadata."""
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
        settings = json.loads((file.metadata() or {}).get("lora_adapter_metadata", "{}"))
    for old, new in SPELLINGS.items():
        tensors = {name.replace(old, new): value for name, value in tensors.items()}
    return {name.replace("text_encoder.text_model.", "text_encoder."): value
            for name, value in tensors.items()}, settings


def loaded_tensors(pipeline):
    found = {}
    for prefix in ("unet", "text_encoder"):
        for name, value in getattr(pipeline, prefix).named_parameters():
            if ".lora_A." in name or ".lora_B." in name:
                name = name.replace(".default_0.", ".").removeprefix("text_model.")
                found[f"{prefix}.{name}"] = value.detach()
    return found


def layer_scales(pipeline):
    return {
        f"{prefix}.{name}": module.scaling["default_0"]
        for prefix in ("unet", "text_encoder")
        for name, module in getattr(pipeline, prefix).named_modules()
        if isinstance(module, LoraLayer)}


def problems(pipeline, tensors, settings):
    loaded = loaded_tensors(pipeline)
    for name in sorted(set(tensors) - set(loaded)):
        yield f"{name}: not taken by diffusers"
    for name in sorted(set(loaded) - set(tensors)):
        yield f"{name}: diffusers made this layer, the file does not fill it"
    for name in sorted(set(loaded) & set(tensors)):
        if not torch.equal(loaded[name], tensors[name].to(loaded[name].dtype)):
            yield f"{name}: the value changed on loading"
    for name, scale in layer_scales(pipeline).items():
        prefix = name.split(".")[0]
        rank = tensors[f"{name}.lora_A.weight"].shape[0] if f"{name}.lora_A.weight" in tensors else 0
        alpha = settings.get(f"{prefix}.lora_alpha", rank)
        if rank and scale != alpha / rank:
            yield f"{name}: scale {scale}, but alpha {alpha} / rank {rank}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("lora", type=Path)
    options = parser.parse_args()
    tensors, settings = read_file(options.lora)
    pipeline = StableDiffusionPipeline.from_pretrained(options.model)
    pipeline.load_lora_weights(options.lora.parent, weight_name=options.lora.name)
    found = list(problems(pipeline, tensors, settings))
    print("\n".join(found) if found else f"{options.lora}: all {len(tensors)} tensors loaded")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
