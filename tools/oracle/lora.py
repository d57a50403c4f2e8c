# SPDX-License-Identifier: Apache-2.0
"""Losses and gradients of every LoRA tensor, by peft, on the models of tests/oracle/models.

tests/oracle/lora/sd1, sd2   U-Net and text encoder under the diffusion loss
tests/oracle/lora/clip       both CLIP towers under cross-entropy over class prompts
"""

import torch
from diffusers import DDPMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.training_utils import _collate_lora_metadata
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file
from torch.nn import functional
from transformers import CLIPModel, CLIPTextModel

import common

USED = ("diffusers", "transformers", "peft")
UNET_TARGETS = ["to_q", "to_k", "to_v", "to_out.0"]
TEXT_TARGETS = ["q_proj", "k_proj", "v_proj", "out_proj"]
RANK, ALPHA = 4, 8
SEED = 400


def inject(model, targets, seed, zero_up=False):
    """Adds LoRA pairs with seeded values; `zero_up` leaves B at zero, as training starts."""
    model.requires_grad_(False)
    model.add_adapter(LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=targets))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(lora_parameters(model).items()):
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(noise * (0.25 if ".lora_A." in name else 0.0 if zero_up else 0.1))
    return model.eval()


def lora_parameters(model):
    return {name: value for name, value in model.named_parameters() if value.requires_grad}


def published_name(prefix, name):
    """The name that LoRA files have, whatever transformers version names the text encoder's parts."""
    if prefix == "text_encoder" and not name.startswith("text_model."):
        name = "text_model." + name
    return (prefix + "." if prefix else "") + name.replace(".default.", ".")


def lora_tensors(models, gradient=False):
    """{name: tensor} over {prefix: model}; with `gradient`, of the gradients, as grad.NAME."""
    return {
        ("grad." if gradient else "") + published_name(prefix, name):
        parameter.grad if gradient else parameter
        for prefix, model in models.items() for name, parameter in lora_parameters(model).items()}


def load_stable_diffusion(folder, seed, zero_up=False):
    """U-Net and text encoder with LoRA in both, and the training noise schedule."""
    unet = UNet2DConditionModel.from_pretrained(folder / "unet")
    text = CLIPTextModel.from_pretrained(folder / "text_encoder")
    inject(unet, UNET_TARGETS, seed, zero_up)
    inject(text, TEXT_TARGETS, seed + 1, zero_up)
    return {"unet": unet, "text_encoder": text}, DDPMScheduler.from_pretrained(folder / "scheduler")


def diffusion_loss(models, scheduler, batch):
    """Mean squared error of the predicted noise, or of v; `batch` as make_batch gives it."""
    latents, noise, timesteps = batch["latents"], batch["noise"], batch["timesteps"]
    noisy = scheduler.add_noise(latents, noise, timesteps)
    target = noise
    if scheduler.config.prediction_type == "v_prediction":
        target = scheduler.get_velocity(latents, noise, timesteps)
    states = models["text_encoder"](batch["input_ids"]).last_hidden_state
    prediction = models["unet"](noisy, timesteps, encoder_hidden_states=states).sample
    return functional.mse_loss(prediction, target), prediction


def save_as_diffusers(folder, models):
    """The steps of diffusers' own LoRA training scripts, so names and metadata are theirs; less the
    path of this machine and a set whose order is chance."""
    for model in models.values():
        config = model.peft_config["default"]
        config.base_model_name_or_path = None
        config.target_modules = sorted(config.target_modules)
    layers = {
        f"{prefix}_lora_layers": convert_state_dict_to_diffusers(get_peft_model_state_dict(model))
        for prefix, model in models.items()}
    StableDiffusionPipeline.save_lora_weights(folder, **layers, **_collate_lora_metadata(models))
    common.settle_header(folder / "pytorch_lora_weights.safetensors")


def make_stable_diffusion(out, name, seed):
    folder = common.fresh_folder(out / "lora" / name)
    source = out / "models" / name
    models, scheduler = load_stable_diffusion(source, seed)
    recorded = load_file(source / "expected.safetensors")
    batch = {
        "latents": common.randn(seed + 2, 2, 4, 8, 8),
        "noise": common.randn(seed + 3, 2, 4, 8, 8),
        "timesteps": torch.tensor([37, 640]),
        "input_ids": recorded["text.input_ids"][:2]}
    loss, prediction = diffusion_loss(models, scheduler, batch)
    loss.backward()
    save_as_diffusers(folder, models)
    common.save_tensors(folder / "lora.safetensors", lora_tensors(models))
    common.save_tensors(folder / "expected.safetensors", {
        **batch, "loss": loss.reshape(1), "prediction": prediction, **lora_tensors(models, True)})
    common.write_note(folder, __file__, seed, {
        "pytorch_lora_weights.safetensors": "as diffusers' training scripts write it",
        "lora.safetensors": "the same tensors under lora_A/lora_B names with text_encoder.text_model",
        "expected.safetensors": "the batch, prediction, loss and grad.NAME for each NAME of "
        "lora.safetensors"}, USED, model=f"../../models/{name}", rank=RANK, alpha=ALPHA,
        prediction_type=scheduler.config.prediction_type)


def make_clip(out, seed):
    folder = common.fresh_folder(out / "lora" / "clip")
    recorded = load_file(out / "models" / "clip" / "expected.safetensors")
    model = inject(CLIPModel.from_pretrained(out / "models" / "clip"), TEXT_TARGETS, seed)
    labels = torch.tensor([2, 0, 1, 0])
    logits = model(
        input_ids=recorded["input_ids"], pixel_values=recorded["pixels"]).logits_per_image
    loss = functional.cross_entropy(logits, labels)
    loss.backward()
    models = {"": model}
    common.save_tensors(folder / "lora.safetensors", lora_tensors(models))
    common.save_tensors(folder / "expected.safetensors", {
        "labels": labels, "logits": logits, "loss": loss.reshape(1), **lora_tensors(models, True)})
    common.write_note(folder, __file__, seed, {
        "lora.safetensors": "pairs of text_model.* and vision_model.*",
        "expected.safetensors": "logits of the model's pixels over its prompts, cross-entropy with "
        "labels, grad.NAME for each NAME of lora.safetensors"}, USED, model="../../models/clip",
        rank=RANK, alpha=ALPHA)


def main():
    out = common.arguments(__doc__).out
    make_stable_diffusion(out, "sd1", SEED)
    make_stable_diffusion(out, "sd2", SEED + 10)
    make_clip(out, SEED + 20)


if __name__ == "__main__":
    main()
