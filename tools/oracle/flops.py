# SPDX-License-Identifier: Apache-2.0
"""Counts operations of the small models of tests/oracle/models with torch's own counter.

tests/oracle/flops/flops.json   operations of one picture or prompt: forward; with a LoRA, forward and
                                forward + backward where only the LoRA learns
"""

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from peft import LoraConfig, inject_adapter_in_model
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from transformers import CLIPModel, CLIPTextModel

import common

RANK = 3
ATTENTION = ["to_q", "to_k", "to_v", "to_out.0"]
PROJECTIONS = {4: ["q_proj", "k_proj", "v_proj", "out_proj"], 2: ["q_proj", "v_proj"]}


def count(action):
    # The counter knows matrix products, but not the CPU's fused attention.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        action()
    return counter.get_total_flops()


def with_lora(model, targets):
    model.requires_grad_(False)
    return inject_adapter_in_model(LoraConfig(r=RANK, target_modules=targets), model)


def both(run):
    """Operations of a forward pass, and of one with the backward pass."""
    def train():
        run().sum().backward()
    return {"forward": count(run), "training": count(train)}


def diffusion(folder, entries):
    unet = UNet2DConditionModel.from_pretrained(folder / "unet")
    vae = AutoencoderKL.from_pretrained(folder / "vae")
    text = CLIPTextModel.from_pretrained(folder / "text_encoder")
    height, width, tokens = 12, 10, 7
    latents = common.randn(1, 1, unet.config.in_channels, height, width)
    context = common.randn(2, 1, tokens, unet.config.cross_attention_dim).requires_grad_()
    words = torch.zeros(1, tokens, dtype=torch.long)
    factor = 2 ** (len(vae.config.block_out_channels) - 1)
    pixels = common.randn(3, 1, 3, height * factor, width * factor)
    with torch.no_grad():
        entries["unet"] = count(lambda: unet(latents, 5, context))
        entries["vae_encoder"] = count(lambda: vae.encode(pixels))
        entries["vae_decoder"] = count(lambda: vae.decode(latents))
        entries["text"] = count(lambda: text(words))
    adapted = with_lora(unet, ATTENTION)
    entries["unet_lora"] = both(lambda: adapted(latents, 5, context).sample)
    adapted_text = with_lora(text, PROJECTIONS[4])
    entries["text_lora"] = both(lambda: adapted_text(words).last_hidden_state)
    entries.update(height=height, width=width, tokens=tokens, pixel_factor=factor)


def classifier(folder, entries):
    size = CLIPModel.from_pretrained(folder).config.vision_config.image_size
    pixels = common.randn(4, 1, 3, size, size)
    words = torch.zeros(1, 7, dtype=torch.long)

    def run_image(model):
        return model.visual_projection(model.vision_model(pixels).pooler_output)

    def run_text(model):
        return model.text_projection(model.text_model(words).pooler_output)

    model = CLIPModel.from_pretrained(folder).requires_grad_(False)
    entries["image"] = count(lambda: run_image(model))
    entries["text"] = count(lambda: run_text(model))
    for projections, names in PROJECTIONS.items():
        for mlp in (False, True):
            adapted = with_lora(CLIPModel.from_pretrained(folder), names + ["fc1", "fc2"] * mlp)
            key = f"{projections}{'+mlp' if mlp else ''}"
            entries[f"image_{key}"] = both(lambda: run_image(adapted))
            entries[f"text_{key}"] = both(lambda: run_text(adapted))
    entries["tokens"] = words.shape[1]


def main():
    out = common.arguments(__doc__).out
    folder = common.fresh_data(out / "flops")
    result = {"rank": RANK, "sd1": {}, "sd2": {}, "clip": {}}
    for name in ("sd1", "sd2"):
        diffusion(out / "models" / name, result[name])
    classifier(out / "models" / "clip", result["clip"])
    common.write_json(folder / "flops.json", result)
    common.write_note(folder, __file__, [], {"flops.json": "operations by part"},
                      ("diffusers", "transformers", "peft"), relative=0,
                      rule="equal")


if __name__ == "__main__":
    main()
