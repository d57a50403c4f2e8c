# SPDX-License-Identifier: Apache-2.0
"""Reference for the adaptation trainer: five steps of LoRA training with diffusers and peft.

The loop is the one of DataDream's specification (AdamW, warm-up and cosine, clipping by the norm of
all LoRA tensors together), on recorded batches, so that another trainer can be fed the same numbers.

tests/oracle/adapt/sd1   noise prediction, B = 0 at the start, the prompt of one class
tests/oracle/adapt/sd2   v prediction, B of seeded values, a different prompt for each image
"""

import torch
from diffusers import AutoencoderKL
from diffusers.optimization import get_scheduler
from safetensors.torch import load_file

import common
import lora

STEPS, WARM_UP, BATCH = 5, 1, 3
LONG_STEPS, LONG_WARM_UP = 400, 100
LEARNING_RATE, WEIGHT_DECAY, BETAS, EPSILON, CLIP_NORM = 1e-4, 1e-2, (0.9, 0.999), 1e-8, 1.0
MOVEMENT_TOLERANCE = 2e-3
# Largest relative gap between this trainer in float32 and in float64, over the B of sd1.
MEASURED_ROUNDING = 3.4e-4
SEED = 600


def make_batches(source, seed, one_prompt):
    """{step.N.name: tensor}: what each step draws. Latents come from pixels of the model's own VAE."""
    vae = AutoencoderKL.from_pretrained(source / "vae")
    prompts = load_file(source / "expected.safetensors")["text.input_ids"]
    record = {}
    for step in range(STEPS):
        base = seed + 10 * step
        pixels = torch.tanh(common.randn(base, BATCH, 3, 32, 32))
        with torch.no_grad():
            posterior = vae.encode(pixels).latent_dist
        generator = torch.Generator().manual_seed(base + 1)
        record.update({
            f"step.{step}.latent_mean": posterior.mean,
            f"step.{step}.latent_std": posterior.std,
            f"step.{step}.sample_noise": common.randn(base + 2, *posterior.mean.shape),
            f"step.{step}.noise": common.randn(base + 3, *posterior.mean.shape),
            f"step.{step}.timesteps": torch.randint(0, 1000, (BATCH,), generator=generator),
            f"step.{step}.input_ids": prompts[:1].repeat(BATCH, 1) if one_prompt else prompts})
    return record, vae.config.scaling_factor


def batch_of(record, step, scale):
    """The arguments of lora.diffusion_loss: a draw of the posterior, scaled as training has it."""
    part = {name: record[f"step.{step}.{name}"] for name in (
        "latent_mean", "latent_std", "sample_noise", "noise", "timesteps", "input_ids")}
    latents = (part["latent_mean"] + part["latent_std"] * part["sample_noise"]) * scale
    return {"latents": latents, **part}


def train(models, scheduler, record, scale):
    """Runs the steps; returns loss, gradient norm before clipping and learning rate of each."""
    parameters = [value for model in models.values() for value in lora.lora_parameters(model).values()]
    optimizer = torch.optim.AdamW(
        parameters, lr=LEARNING_RATE, betas=BETAS, weight_decay=WEIGHT_DECAY, eps=EPSILON)
    rates = get_scheduler(
        "cosine", optimizer, num_warmup_steps=WARM_UP, num_training_steps=STEPS)
    history = {"loss": [], "gradient_norm": [], "learning_rate": []}
    for step in range(STEPS):
        history["learning_rate"].append(rates.get_last_lr()[0])
        loss, _ = lora.diffusion_loss(models, scheduler, batch_of(record, step, scale))
        loss.backward()
        history["gradient_norm"].append(torch.nn.utils.clip_grad_norm_(parameters, CLIP_NORM).item())
        history["loss"].append(loss.item())
        optimizer.step()
        rates.step()
        optimizer.zero_grad()
    return {name: torch.tensor(values, dtype=torch.float64) for name, values in history.items()}


def long_rates():
    """Learning rates of a run with the paper's warm-up, which five steps cannot show."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LEARNING_RATE)
    rates = get_scheduler(
        "cosine", optimizer, num_warmup_steps=LONG_WARM_UP, num_training_steps=LONG_STEPS)
    values = []
    for _ in range(LONG_STEPS):
        values.append(rates.get_last_lr()[0])
        optimizer.step()
        rates.step()
    return torch.tensor(values, dtype=torch.float64)


def make(out, name, seed, zero_up):
    folder = common.fresh_folder(out / "adapt" / name)
    source = out / "models" / name
    models, scheduler = lora.load_stable_diffusion(source, seed, zero_up)
    record, scale = make_batches(source, seed + 100, one_prompt=zero_up)
    common.save_tensors(folder / "batches.safetensors", record)
    common.save_tensors(folder / "start.safetensors", lora.lora_tensors(models))
    history = train(models, scheduler, record, scale)
    common.save_tensors(folder / "final.safetensors", lora.lora_tensors(models))
    common.save_tensors(
        folder / "history.safetensors", {**history, "long_learning_rate": long_rates()})
    common.write_note(folder, __file__, seed, {
        "batches.safetensors": "step.N.*: posterior mean and standard deviation (unscaled), the noise "
        "that samples it, the diffusion noise, timesteps, prompt ids; latents = (mean + std * "
        "sample_noise) * scaling_factor",
        "start.safetensors": "LoRA tensors before the first step",
        "final.safetensors": "LoRA tensors after the last step",
        "history.safetensors": "loss, gradient norm before clipping, learning rate, one value a "
        f"step; long_learning_rate: of {LONG_STEPS} steps with {LONG_WARM_UP} to warm up"},
        lora.USED, model=f"../../models/{name}", rank=lora.RANK, alpha=lora.ALPHA, steps=STEPS,
        batch=BATCH, scaling_factor=scale, prediction_type=scheduler.config.prediction_type,
        optimizer={
            "name": "AdamW", "learning_rate": LEARNING_RATE, "betas": list(BETAS), "epsilon": EPSILON,
            "weight_decay": WEIGHT_DECAY, "schedule": "cosine", "warm_up_steps": WARM_UP,
            "clip_norm": CLIP_NORM},
        movement_tolerance={
            "relative": MOVEMENT_TOLERANCE,
            "rule": "the same rule on final - start, and the only one for tensors that start at zero: "
            "AdamW divides small gradients by themselves, so rounding grows; this trainer run in "
            f"float64 moves up to {MEASURED_ROUNDING} away from these float32 numbers"})


def main():
    out = common.arguments(__doc__).out
    make(out, "sd1", SEED, zero_up=True)
    make(out, "sd2", SEED + 10, zero_up=False)


if __name__ == "__main__":
    main()
