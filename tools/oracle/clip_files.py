# SPDX-License-Identifier: Apache-2.0
"""tests/oracle/clip: small CLIPs in the files that OpenAI and OpenCLIP distribute, and transformers'
zero-shot scores for pictures of every kind.

openai/      a TorchScript archive with half precision products and single precision norms
open_clip/   a training checkpoint ("state_dict", names with "module.") and open_clip_config.json
images/      pictures of odd shapes, beside those of tests/oracle/image
"""

import numpy as np
import torch
from PIL import Image
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

import common
import tokenizer

SEED = 40
USED = ("transformers", "pillow", "numpy")
CLASSES = ("bag", "cat", "coat", "dog", "red shirt")
SHAPES = {"wide.jpg": (301, 97), "tall.png": (45, 211), "narrow.webp": (5, 120), "small.png": (9, 7),
          "even.jpg": (128, 96), "exact.png": (16, 16)}
CUTS = {
    "default": dict(size={"shortest_edge": 16}, crop_size=16),
    "larger": dict(size={"shortest_edge": 21}, crop_size={"height": 16, "width": 16}),
    "squashed": dict(size={"height": 16, "width": 16}, crop_size=16),
    "bilinear": dict(size={"shortest_edge": 19}, crop_size=16, resample=2),
}


def rename(name):
    """transformers' name of a CLIP tensor -> OpenAI's. Query, key and value still apart."""
    for ours, theirs in {
            "visual_projection.weight": "visual.proj", "text_projection.weight": "text_projection",
            "text_model.embeddings.token_embedding": "token_embedding",
            "text_model.embeddings.position_embedding.weight": "positional_embedding",
            "text_model.final_layer_norm": "ln_final", "text_model.encoder.layers": "transformer.resblocks",
            "vision_model.embeddings.class_embedding": "visual.class_embedding",
            "vision_model.embeddings.patch_embedding": "visual.conv1",
            "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
            "vision_model.pre_layrnorm": "visual.ln_pre", "vision_model.post_layernorm": "visual.ln_post",
            "vision_model.encoder.layers": "visual.transformer.resblocks", "layer_norm": "ln_",
            "self_attn": "attn", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}.items():
        name = name.replace(ours, theirs)
    return name


def open_ai_state(model):
    """The weights of a CLIPModel as OpenAI's CLIP and OpenCLIP hold them."""
    state = {}
    for name, value in model.state_dict().items():
        if ".k_proj." in name or ".v_proj." in name or name.endswith("position_ids"):
            continue
        if ".q_proj." in name:
            parts = [model.state_dict()[name.replace(".q_proj.", f".{part}_proj.")] for part in "qkv"]
            name, value = name.replace(".q_proj.", ".in_proj_"), torch.cat(parts)
        if name.endswith("_projection.weight"):
            value = value.T
        state[rename(name)] = value.contiguous()
    return state


def make_model(seed, entries, act, text_width, vision_width, heads, mlp, positions):
    shape = dict(num_hidden_layers=1, intermediate_size=mlp, hidden_act=act, projection_dim=24)
    text = CLIPTextConfig(
        vocab_size=len(entries), max_position_embeddings=positions, hidden_size=text_width, num_attention_heads=heads,
        eos_token_id=entries[tokenizer.END], bos_token_id=entries[tokenizer.START],
        pad_token_id=entries[tokenizer.END], **shape).to_dict()
    vision = dict(hidden_size=vision_width, num_attention_heads=heads, image_size=16, patch_size=4, **shape)
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=24))
    common.randomise(model, seed)
    model.logit_scale.data.fill_(100.0).log_()
    return model


def record(folder, model, entries, seed, files, **more):
    rows = torch.tensor([tokenizer.encode(entries, f"a photo of a {name}", tokenizer.END) for name in CLASSES])
    rows = rows[:, :model.config.text_config.max_position_embeddings]
    pixels = common.randn(seed, 3, 3, 16, 16)
    output = model(input_ids=rows, pixel_values=pixels)
    common.save_tensors(folder / "expected.safetensors", {
        "input_ids": rows, "pixels": pixels, "logits_per_image": output.logits_per_image})
    common.write_note(folder, __file__, seed, {
        **files, "expected.safetensors": "transformers' logits at scale 100 of the same weights"}, USED, **more)


def nested(state, extras):
    """A module whose parameters and buffers have these names, as torch.jit saves it."""
    root = torch.nn.Module()
    for name, value in state.items():
        *path, leaf = name.split(".")
        place = root
        for part in path:
            if not hasattr(place, part):
                place.add_module(part, torch.nn.Module())
            place = getattr(place, part)
        place.register_parameter(leaf, torch.nn.Parameter(value, requires_grad=False))
    for name, value in extras.items():
        root.register_buffer(name, torch.tensor(value))
    return root


def make_open_ai(out, entries, seed):
    """Products in half precision, norms and embeddings in single, as OpenAI's archives mix them."""
    folder = common.fresh_folder(out / "openai")
    model = make_model(seed, entries, "quick_gelu", 64, 64, 1, 16, 16)
    single = ("ln_", "positional_embedding", "class_embedding", "logit_scale")
    state = {name: value if any(part in name for part in single) else value.half()
             for name, value in open_ai_state(model).items()}
    halved = {name: value.half().float() if rename(name) not in state or state[rename(name)].dtype == torch.half
              else value for name, value in model.state_dict().items()}
    for name in model.state_dict():  # query, key and value have one tensor in the archive
        if "_proj." in name and "self_attn" in name:
            halved[name] = model.state_dict()[name].half().float()
    model.load_state_dict(halved)
    extras = {"input_resolution": 16, "context_length": 16, "vocab_size": len(entries)}
    torch.jit.script(nested(state, extras)).save(folder / "ViT-tiny.pt")
    record(folder, model, entries, seed + 1, {"ViT-tiny.pt": "TorchScript, heads 64 wide, quick_gelu"})


def make_open_clip(out, entries, seed):
    folder = common.fresh_folder(out / "open_clip")
    model = make_model(seed, entries, "gelu", 16, 24, 2, 32, 77)
    state = {"module." + name: value for name, value in open_ai_state(model).items()}
    torch.save({"epoch": 3, "name": "tiny", "state_dict": state}, folder / "open_clip_pytorch_model.bin")
    common.write_json(folder / "open_clip_config.json", {
        "model_cfg": {
            "embed_dim": 24,
            "vision_cfg": {"image_size": 16, "layers": 1, "width": 24, "head_width": 12, "patch_size": 4},
            "text_cfg": {"context_length": 77, "vocab_size": len(entries), "width": 16, "heads": 2, "layers": 1}},
        "preprocess_cfg": {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3], "interpolation": "bicubic",
                           "resize_mode": "shortest"}})
    record(folder, model, entries, seed + 1, {
        "open_clip_pytorch_model.bin": "training checkpoint, gelu", "open_clip_config.json": "heads"})


def write_pictures(folder):
    """Smooth colours with some noise."""
    rng = np.random.default_rng(SEED)
    for name, (width, height) in SHAPES.items():
        y, x = np.mgrid[0:height, 0:width]
        waves = [127 + 90 * np.sin(x / (4.0 + channel) + y / (7.0 - channel) + channel) for channel in range(3)]
        noisy = np.stack(waves, -1) + rng.normal(0, 15, (height, width, 3))
        options = {"quality": 90} if name.endswith("jpg") else {}
        if name.endswith("webp"):
            options = {"lossless": True}
        Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(folder / name, **options)


def levels(picture, cut):
    """Resized and cut by transformers, still 0 ... 255."""
    processor = CLIPImageProcessorPil(do_rescale=False, do_normalize=False, **CUTS[cut])
    return torch.tensor(processor(picture, return_tensors="np")["pixel_values"][0]).round().to(torch.uint8)


def score_pictures(out, images):
    """Three readings of every picture: what a person sees (checked against PIL by image.py),
    convert("RGB"), and the conversion of transformers 5 itself."""
    model = CLIPModel.from_pretrained(out.parent / "models" / "clip").eval()
    entries = tokenizer.vocabulary()
    rows = torch.tensor([tokenizer.encode(entries, f"a photo of a {name}", tokenizer.END) for name in CLASSES])
    processor = CLIPImageProcessorPil(**CUTS["default"])
    paths = sorted(path for path in (out.parent / "image").iterdir() if path.suffix in (".png", ".jpg", ".webp"))
    own = sorted(images.iterdir())
    tensors, names = {}, []
    readings = {"seen": [], "transformers": [], "transformers-5": []}
    for path in paths + own:
        # Without what PIL remembers of transparency, which transformers would act on.
        plain = Image.fromarray(np.asarray(Image.open(path).convert("RGB")))
        seen = plain if path in own else Image.open(path.with_name(path.name + ".seen.ppm"))
        for reading, picture in (("seen", seen), ("transformers", plain), ("transformers-5", Image.open(path))):
            pixels = processor(picture, return_tensors="pt")["pixel_values"]
            cosines = model(input_ids=rows, pixel_values=pixels).logits_per_image / model.logit_scale.exp()
            readings[reading].append(100 * cosines[0])
        names.append(f"{path.parent.name}/{path.name}")
        if path in own:
            for cut in CUTS:
                tensors[f"levels.{path.name}.{cut}"] = levels(plain, cut)
    tensors.update({f"scores.{reading}": torch.stack(rows) for reading, rows in readings.items()})
    return tensors, names


def main():
    out = common.arguments(__doc__).out / "clip"
    out.mkdir(parents=True, exist_ok=True)  # it holds the tests as well
    entries = tokenizer.vocabulary()
    with torch.no_grad():
        make_open_ai(out, entries, SEED)
        make_open_clip(out, entries, SEED + 10)
        images = common.fresh_folder(out / "images")
        write_pictures(images)
        tensors, names = score_pictures(out, images)
    common.save_tensors(out / "expected.safetensors", tensors)
    common.write_json(out / "index.json", {"images": names, "classes": list(CLASSES),
                                           "template": "a photo of a {}", "cuts": CUTS})
    common.write_note(out, __file__, SEED, {
        "expected.safetensors": "scores.READING: [image, class] of index.json, 100 * cosine by ../models/clip; "
        "levels.IMAGE.CUT: resized and cut by transformers"}, USED)


if __name__ == "__main__":
    main()
