# SPDX-License-Identifier: Apache-2.0
"""A CLIP-LoRA loop with peft: files are decoded again each epoch, augmented with PIL as torchvision's
transforms do (random resized crop, mirror, colours), and all class prompts run at their full length."""

import random

import progress

options = progress.arguments(__doc__)

import numpy
import torch
from peft import LoraConfig, get_peft_model
from PIL import Image, ImageEnhance
from transformers import CLIPModel, CLIPTokenizer

MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073])[:, None, None]
DEVIATION = torch.tensor([0.26862954, 0.26130258, 0.27577711])[:, None, None]
RESAMPLE = Image.BICUBIC


class Photos(torch.utils.data.Dataset):
    def __init__(self, files, side):
        self.files, self.side = files, side
        self.labels = {name: label for label, name in enumerate(sorted({name for _, name in files}))}

    def __len__(self):
        return len(self.files)

    def __getitem__(self, place):
        file, name = self.files[place]
        image = Image.open(file).convert("RGB")
        area = image.width * image.height * random.uniform(0.6, 1)
        aspect = random.uniform(3 / 4, 4 / 3)
        width = min(image.width, round((area * aspect) ** 0.5))
        height = min(image.height, round((area / aspect) ** 0.5))
        left, top = random.randint(0, image.width - width), random.randint(0, image.height - height)
        image = image.resize((self.side, self.side), RESAMPLE, (left, top, left + width, top + height))
        if random.random() < 0.5:
            image = image.transpose(Image.FLIP_LEFT_RIGHT)
        if random.random() < 0.8:
            for change in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
                image = change(image).enhance(random.uniform(0.8, 1.2))
        pixels = torch.from_numpy(numpy.array(image)).permute(2, 0, 1).float() / 255
        return (pixels - MEAN) / DEVIATION, self.labels[name]


def endless(loader):
    while True:
        yield from loader


def pooled(value):
    return value if isinstance(value, torch.Tensor) else value.pooler_output


base = CLIPModel.from_pretrained(options.model, torch_dtype=options.dtype)
side, length = base.config.vision_config.image_size, base.config.text_config.max_position_embeddings
model = get_peft_model(base, LoraConfig(
    r=16, lora_alpha=16, target_modules=["q_proj", "k_proj", "v_proj", "out_proj"]))
tokenizer = CLIPTokenizer.from_pretrained(options.model)
photos = Photos(progress.labelled(options.data), side)
prompts = tokenizer([f"a photo of a {name}" for name in photos.labels], padding="max_length", max_length=length,
                    truncation=True, return_tensors="pt").input_ids
trained = [value for value in model.parameters() if value.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=1e-4)
batches = endless(torch.utils.data.DataLoader(photos, options.batch, shuffle=True, drop_last=True))
for step in range(options.steps):
    pixels, labels = next(batches)
    with torch.autocast("cpu", torch.bfloat16, enabled=options.dtype == torch.bfloat16):
        image = torch.nn.functional.normalize(pooled(base.get_image_features(pixel_values=pixels)), dim=-1)
        text = torch.nn.functional.normalize(pooled(base.get_text_features(input_ids=prompts)), dim=-1)
        scores = base.logit_scale.exp() * image @ text.t()
    loss = torch.nn.functional.cross_entropy(scores.float(), labels)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    optimizer.zero_grad()
    loss.item()
    if step == 0:
        progress.first_done()
model.save_pretrained(options.out)
progress.finished(options.steps * options.batch, options.steps)
