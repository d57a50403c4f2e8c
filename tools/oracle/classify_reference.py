# SPDX-License-Identifier: Apache-2.0
"""Reference for the classifier: five steps of CLIP+LoRA training with transformers and peft, and scores
judged by torchmetrics.

tests/oracle/classify   two trainings on the same recorded batches of real and synthetic images:
`plain`, the weighted sum of two cross-entropies, and `soft`, with label smoothing and batches that
torchvision's MixUp and CutMix changed, each kind within itself.
"""

import torch
from safetensors.torch import load_file
from torch.nn import functional
from transformers import CLIPModel

import common
import lora

common.use_torchvision()
from torchmetrics.functional.classification import (  # noqa: E402
    multiclass_accuracy, multiclass_calibration_error, multiclass_confusion_matrix)
from torchvision.transforms import v2  # noqa: E402

STEPS, WARM_UP, REAL, SYNTHETIC, REAL_WEIGHT, SMOOTHING = 5, 1, 3, 4, 0.8, 0.1
LEARNING_RATE, FINAL_RATE, WEIGHT_DECAY, CLIP_NORM = 1e-3, 1e-5, 1e-4, 1.0
MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1)
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)
SEED = 950


def make_batches(classes):
    generator = torch.Generator().manual_seed(SEED)
    count = REAL + SYNTHETIC
    return {"levels": torch.randint(0, 256, (STEPS, count, 3, 16, 16), generator=generator).byte(),
            "labels": torch.randint(0, classes, (STEPS, count), generator=generator)}


def mixed(pixels, labels, step, kind, classes, notes):
    """One kind of a batch by torchvision, and what it drew: MixUp and CutMix take turns."""
    torch.manual_seed(SEED + 10 * step + kind)
    change = (v2.CutMix if (step + kind) % 2 else v2.MixUp)(num_classes=classes)
    draw = change.make_params

    def noted(inputs):
        drawn = draw(inputs)
        box = [int(value) for value in drawn.get("box", ())]
        notes.append({"step": step, "kept": drawn.get("lam_adjusted", drawn.get("lam")), "box": box})
        return drawn

    change.make_params = noted
    return change(pixels, labels)


def batch_of(record, step, classes, soft, notes):
    pixels = (record["levels"][step].float() / 255 - MEAN) / STD
    labels = record["labels"][step]
    if not soft:
        return pixels, labels
    parts = [mixed(pixels[:REAL], labels[:REAL], step, 0, classes, notes),
             mixed(pixels[REAL:], labels[REAL:], step, 1, classes, notes)]
    return torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])


def rates_of(optimizer):
    """Linear from (nearly) nothing, then torch's cosine to the final rate."""
    warm_up = torch.optim.lr_scheduler.LinearLR(optimizer, 1e-12, 1.0, WARM_UP)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS - WARM_UP, FINAL_RATE)
    return torch.optim.lr_scheduler.SequentialLR(optimizer, [warm_up, cosine], [WARM_UP])


def train(model, prompts, record, soft, tensors, notes):
    smoothing = SMOOTHING if soft else 0.0
    parameters = list(lora.lora_parameters(model).values())
    optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    rates = rates_of(optimizer)
    history = {"loss": [], "rate": []}
    for step in range(STEPS):
        pixels, targets = batch_of(record, step, len(prompts), soft, notes)
        if soft:
            tensors[f"soft.step.{step}.pixels"] = pixels
            tensors[f"soft.step.{step}.targets"] = targets
        logits = model(input_ids=prompts, pixel_values=pixels).logits_per_image
        parts = [functional.cross_entropy(logits[rows], targets[rows], label_smoothing=smoothing)
                 for rows in (slice(REAL), slice(REAL, None))]
        loss = REAL_WEIGHT * parts[0] + (1 - REAL_WEIGHT) * parts[1]
        loss.backward()
        history["loss"].append(loss.item())
        history["rate"].append(rates.get_last_lr()[0])
        torch.nn.utils.clip_grad_norm_(parameters, CLIP_NORM)
        optimizer.step()
        rates.step()
        optimizer.zero_grad()
    return history


def make_training(folder, source, name, record, notes):
    prompts = load_file(source / "expected.safetensors")["input_ids"]
    model = lora.inject(CLIPModel.from_pretrained(source), lora.TEXT_TARGETS, SEED + 1)
    tensors = {"start." + key: value.clone() for key, value in lora.lora_tensors({"": model}).items()}
    history = train(model, prompts, record, name == "soft", tensors, notes)
    tensors.update({"final." + key: value for key, value in lora.lora_tensors({"": model}).items()})
    tensors.update({key: torch.tensor(values, dtype=torch.float64) for key, values in history.items()})
    common.save_tensors(folder / f"{name}.safetensors", tensors)


def make_scores(folder):
    """Overconfident guesses of seven classes, one of them never the right one."""
    generator = torch.Generator().manual_seed(SEED + 2)
    labels = torch.randint(0, 6, (400,), generator=generator)
    logits = 3 * torch.randn(400, 7, generator=generator)
    logits[torch.arange(400), labels] += 2.0
    common.save_tensors(folder / "scores.safetensors", {"logits": logits, "labels": labels})
    exact = logits.double()
    confusion = multiclass_confusion_matrix(exact, labels, 7)
    return {
        "top1": multiclass_accuracy(exact, labels, 7, average="micro").item(),
        "top5": multiclass_accuracy(exact, labels, 7, average="micro", top_k=5).item(),
        "per_class": multiclass_accuracy(exact, labels, 7, average="none").tolist()[:6],
        "confusion": confusion.tolist(),
        "ece": multiclass_calibration_error(exact, labels, 7, n_bins=15, norm="l1").item(),
        "nll": functional.cross_entropy(exact, labels).item()}


def main():
    out = common.arguments(__doc__).out
    folder = common.fresh_data(out / "classify")
    source = out / "models" / "clip"
    classes = len(load_file(source / "expected.safetensors")["input_ids"])
    record = make_batches(classes)
    common.save_tensors(folder / "batches.safetensors", record)
    notes = []
    make_training(folder, source, "plain", record, notes)
    make_training(folder, source, "soft", record, notes)
    common.write_json(folder / "index.json", {"mixes": notes, "metrics": make_scores(folder)})
    common.write_note(folder, __file__, SEED, {
        "batches.safetensors": "levels of the images and labels, real ones first",
        "plain.safetensors, soft.safetensors": "start.NAME and final.NAME of all LoRA tensors, loss and "
        "rate of each step; soft has the mixed batches too",
        "scores.safetensors": "logits and labels",
        "index.json": "mixes: what torchvision drew for each step of `soft`, real images and then "
        "synthetic ones; metrics: of the scores, by torchmetrics"},
        ("transformers", "peft", "torchvision", "torchmetrics"), model="../models/clip",
        rank=lora.RANK, alpha=lora.ALPHA, steps=STEPS, real=REAL, synthetic=SYNTHETIC,
        real_weight=REAL_WEIGHT, label_smoothing=SMOOTHING, learning_rate=LEARNING_RATE,
        final_rate=FINAL_RATE, warm_up_steps=WARM_UP, weight_decay=WEIGHT_DECAY, clip_norm=CLIP_NORM)


if __name__ == "__main__":
    main()
