# SPDX-License-Identifier: Apache-2.0
"""The DreamBooth-LoRA loop with diffusers and peft, as the official code of DataDream runs it: images are
decoded and encoded by the VAE in every step, every image brings its prompt through the text encoder, and
torch's AdamW and clip_grad_norm_ work tensor by tensor."""

import progress

options = progress.arguments(__doc__)

import numpy
import torch
from diffusers import AutoencoderKL, DDPMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.optimization import get_scheduler
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from PIL import Image
from transformers import CLIPTextModel, CLIPTokenizer


class Shots(torch.utils.data.Dataset):
    def __init__(self, files, tokenizer):
        self.files, self.tokenizer = files, tokenizer

    def __len__(self):
        return len(self.files)

    def __getitem__(self, place):
        file, name = self.files[place]
        image = Image.open(file).convert("RGB").resize((options.size, options.size), Image.BILINEAR)
        pixels = torch.from_numpy(numpy.array(image)).permute(2, 0, 1).float() / 127.5 - 1
        ids = self.tokenizer(f"a photo of a {name}", padding="max_length", truncation=True,
                             max_length=self.tokenizer.model_max_length, return_tensors="pt").input_ids[0]
        return pixels, ids


def endless(loader):
    while True:
        yield from loader


def load(kind, part):
    return kind.from_pretrained(options.model / part, torch_dtype=options.dtype).requires_grad_(False)


tokenizer = CLIPTokenizer.from_pretrained(options.model / "tokenizer")
text, vae, unet = load(CLIPTextModel, "text_encoder"), load(AutoencoderKL, "vae"), load(UNet2DConditionModel, "unet")
noise_schedule = DDPMScheduler.from_pretrained(options.model / "scheduler")
unet.add_adapter(LoraConfig(r=16, lora_alpha=16, init_lora_weights="gaussian",
                            target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
text.add_adapter(LoraConfig(r=16, lora_alpha=16, init_lora_weights="gaussian",
                            target_modules=["q_proj", "k_proj", "v_proj", "out_proj"]))
trained = [value for model in (unet, text) for value in model.parameters() if value.requires_grad]
for value in trained:
    value.data = value.data.float()
optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=1e-2)
rates = get_scheduler("cosine", optimizer, num_warmup_steps=0, num_training_steps=options.steps)
files = [each for each in progress.labelled(options.data) if options.class_name in (None, each[1])][:options.shots]
# Fewer shots than a batch are repeated, as datadream does: a step always has the whole batch.
files *= -(-options.batch // len(files))
batches = endless(torch.utils.data.DataLoader(Shots(files, tokenizer), options.batch, shuffle=True, drop_last=True))
for step in range(options.steps):
    pixels, ids = next(batches)
    with torch.autocast("cpu", torch.bfloat16, enabled=options.dtype == torch.bfloat16):
        latents = vae.encode(pixels.to(options.dtype)).latent_dist.sample() * vae.config.scaling_factor
        noise = torch.randn_like(latents)
        times = torch.randint(0, noise_schedule.config.num_train_timesteps, (len(latents),))
        noisy = noise_schedule.add_noise(latents, noise, times)
        states = text(ids).last_hidden_state
        predicted = unet(noisy, times, encoder_hidden_states=states).sample
    target = noise
    if noise_schedule.config.prediction_type == "v_prediction":
        target = noise_schedule.get_velocity(latents, noise, times)
    torch.nn.functional.mse_loss(predicted.float(), target.float()).backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    rates.step()
    optimizer.zero_grad()
    if step == 0:
        progress.first_done()
layers = {f"{name}_lora_layers": convert_state_dict_to_diffusers(get_peft_model_state_dict(model))
          for name, model in (("unet", unet), ("text_encoder", text))}
StableDiffusionPipeline.save_lora_weights(options.out, **layers)
progress.finished(options.steps * options.batch, options.steps)
