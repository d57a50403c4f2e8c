# SPDX-License-Identifier: Apache-2.0
"""Small random models in the folder formats of diffusers and transformers, with recorded results.

tests/oracle/models/sd1, sd2   whole Stable Diffusion folders (SD 1 and SD 2 shapes)
tests/oracle/models/vae_*      the SD 2 VAE with the attention names that older files carry
tests/oracle/models/clip*      CLIP with both towers, right and legacy end-token ids
"""

import json

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPTextModel, CLIPTokenizer

import common
import tokenizer

USED = ("diffusers", "transformers")
PROMPTS = ("a photo of a cat", "a photo of the small black dog", "sneaker")
SEED = 20
VAE = dict(
    block_out_channels=(4, 8, 8),
    down_block_types=("DownEncoderBlock2D",) * 3,
    up_block_types=("UpDecoderBlock2D",) * 3,
    latent_channels=4,
    norm_num_groups=4,
    scaling_factor=0.18215,
)
FAMILIES = {
    "sd1": dict(
        pad=tokenizer.END,
        text=dict(hidden_act="quick_gelu", num_attention_heads=4),
        text_prefix="",
        unet=dict(
            block_out_channels=(4, 8),
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
            attention_head_dim=2,
        ),
        vae=dict(sample_size=32, layers_per_block=2),
        prediction_type="epsilon",
    ),
    "sd2": dict(
        pad="!",
        text=dict(hidden_act="gelu", num_attention_heads=2),
        text_prefix="text_model.",
        unet=dict(
            block_out_channels=(4, 8, 8),
            down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
            attention_head_dim=[1, 2, 4],
            use_linear_projection=True,
            upcast_attention=True,
        ),
        vae=dict(sample_size=32, layers_per_block=1),
        prediction_type="v_prediction",
    ),
}


def text_config(entries, pad, **shape):
    return CLIPTextConfig(
        vocab_size=len(entries), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        projection_dim=24, max_position_embeddings=77, bos_token_id=entries[tokenizer.START],
        eos_token_id=entries[tokenizer.END], pad_token_id=entries[pad], **shape)


def rename_tensors(path, rename, extra=None):
    """Rewrites one safetensors file under other tensor names."""
    tensors = {rename(name): value for name, value in load_file(path).items()}
    common.save_tensors(path, {**tensors, **(extra or {})}, metadata={"format": "pt"})


def save_text_encoder(model, folder, prefix):
    """transformers 5 writes the bare names; `prefix` gives the names that published files have, with
    the buffer of positions that older versions saved along."""
    model.save_pretrained(folder)
    if prefix:
        positions = {prefix + "embeddings.position_ids": torch.arange(77)[None]}
        rename_tensors(folder / "model.safetensors", lambda name: prefix + name, positions)


def write_folder_parts(folder, family):
    """What belongs to a Stable Diffusion folder besides the three models."""
    scheduler = {
        "_class_name": "DDIMScheduler", "_diffusers_version": "0.8.0", "beta_start": 0.00085,
        "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000,
        "clip_sample": False, "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1,
        "trained_betas": None, "prediction_type": family["prediction_type"]}
    (folder / "scheduler").mkdir()
    common.write_json(folder / "scheduler" / "scheduler_config.json", scheduler)
    index = {
        "_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.8.0",
        "feature_extractor": [None, None], "safety_checker": [None, None],
        "requires_safety_checker": False,
        "scheduler": ["diffusers", "DDIMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"]}
    common.write_json(folder / "model_index.json", index)


def record_text(model, input_ids, record):
    output = model(input_ids)
    record["text.input_ids"] = input_ids
    record["text.last_hidden_state"] = output.last_hidden_state
    record["text.pooled"] = output.pooler_output


def record_unet(model, states, seed, record):
    """An even size, and 6 x 10, which halves to an odd one; two timesteps each."""
    for size, (height, width) in {"even": (8, 8), "odd": (6, 10)}.items():
        latents = common.randn(seed, 2, 4, height, width)
        record[f"unet.{size}.latents"] = latents
        for timestep in (3, 801):
            output = model(latents, timestep, encoder_hidden_states=states).sample
            record[f"unet.{size}.output_{timestep}"] = output
    mixed = torch.tensor([10, 999])
    record["unet.mixed.timesteps"] = mixed
    record["unet.mixed.output"] = model(
        record["unet.even.latents"], mixed, encoder_hidden_states=states).sample
    record["unet.states"] = states


def record_vae(model, seed, record):
    pixels = torch.tanh(common.randn(seed, 2, 3, 16, 24))
    posterior = model.encode(pixels).latent_dist
    latents = common.randn(seed + 1, 2, 4, 4, 6)
    record.update({
        "vae.pixels": pixels, "vae.mean": posterior.mean, "vae.logvar": posterior.logvar,
        "vae.latents": latents, "vae.decoded": model.decode(latents).sample})


def make_stable_diffusion(out, name, seed):
    family = FAMILIES[name]
    folder = common.fresh_folder(out / name)
    entries = tokenizer.write_tokenizer(folder / "tokenizer", family["pad"])
    write_folder_parts(folder, family)
    record = {}
    text = CLIPTextModel(text_config(entries, family["pad"], **family["text"]))
    common.randomise(text, seed)
    save_text_encoder(text, folder / "text_encoder", family["text_prefix"])
    rows = [tokenizer.encode(entries, prompt, family["pad"]) for prompt in PROMPTS]
    theirs = CLIPTokenizer.from_pretrained(folder / "tokenizer")(
        list(PROMPTS), padding="max_length", max_length=77).input_ids
    assert rows == theirs, "the tokenizer files do not mean what encode() says"
    record_text(text, torch.tensor(rows), record)
    unet = UNet2DConditionModel(
        sample_size=8, layers_per_block=2, norm_num_groups=2, cross_attention_dim=32, **family["unet"])
    common.randomise(unet, seed + 1).save_pretrained(folder / "unet")
    record_unet(unet, record["text.last_hidden_state"][:2], seed + 2, record)
    vae = AutoencoderKL(**VAE, **family["vae"])
    common.randomise(vae, seed + 3).save_pretrained(folder / "vae")
    record_vae(vae, seed + 4, record)
    common.save_tensors(folder / "expected.safetensors", record)
    common.write_note(folder, __file__, seed, {
        "expected.safetensors": "text.*: ids, hidden states after the final norm, state at the end "
        "token; unet.even/odd.output_T: prediction at timestep T for unet.states; vae.*: posterior "
        "and decoded pixels (latents unscaled)"}, USED, prompts=list(PROMPTS))
    return vae, record


def old_attention_name(name):
    """The name that a VAE attention tensor had before diffusers 0.16."""
    if ".attentions." in name:
        for new, old in {"to_q.": "query.", "to_k.": "key.", "to_v.": "value.",
                         "to_out.0.": "proj_attn."}.items():
            name = name.replace(new, old)
    return name


def make_old_vae(out, name, as_convolution, vae, seed):
    """The same weights under the old names; recorded from the files read back by diffusers."""
    folder = common.fresh_folder(out / name)
    vae.save_pretrained(folder)
    path = folder / "diffusion_pytorch_model.safetensors"
    rename_tensors(path, old_attention_name)
    if as_convolution:
        tensors = load_file(path)
        for key, value in tensors.items():
            if ".attentions." in key and value.ndim == 2:
                tensors[key] = value[:, :, None, None]
        common.save_tensors(path, tensors, metadata={"format": "pt"})
    record = {}
    record_vae(vae, seed, record)
    common.save_tensors(folder / "expected.safetensors", record)
    shape = "1x1 convolutions" if as_convolution else "linear layers"
    common.write_note(folder, __file__, seed, {
        "expected.safetensors": "vae.*: posterior and decoded pixels (latents unscaled)",
        "diffusion_pytorch_model.safetensors":
        f"sd2/vae with mid_block.attentions.0.query/key/value/proj_attn as {shape}"}, USED)


def make_clip(out, name, legacy_end, seed):
    """`legacy_end` writes eos_token_id 2, as OpenAI's files on the hub have it: then the highest id of
    the prompt is the end token. With the right id, tokens may be added after it: the last prompt holds
    such a one, so that the two rules differ."""
    folder = common.fresh_folder(out / name)
    entries = tokenizer.write_tokenizer(folder / "tokenizer", tokenizer.END)
    text = text_config(entries, tokenizer.END, hidden_act="quick_gelu", num_attention_heads=4).to_dict()
    if legacy_end:
        text.update(eos_token_id=2, bos_token_id=0, pad_token_id=1)
    else:
        text.update(vocab_size=len(entries) + 1)
    vision = dict(hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3,
                  image_size=16, patch_size=4, hidden_act="quick_gelu", projection_dim=24)
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=24))
    common.randomise(model, seed).save_pretrained(folder)
    if legacy_end:
        buffers = {"text_model.embeddings.position_ids": torch.arange(77)[None],
                   "vision_model.embeddings.position_ids": torch.arange(17)[None]}
        rename_tensors(folder / "model.safetensors", lambda tensor: tensor, buffers)
    rows = torch.tensor([tokenizer.encode(entries, prompt, tokenizer.END) for prompt in PROMPTS])
    if not legacy_end:
        rows[-1, 1] = len(entries)
    pixels = common.randn(seed + 1, 4, 3, 16, 16)
    output = model(input_ids=rows, pixel_values=pixels)
    common.save_tensors(folder / "expected.safetensors", {
        "input_ids": rows, "pixels": pixels,
        "image_features": model.get_image_features(pixels).pooler_output,
        "text_features": model.get_text_features(rows).pooler_output,
        "logits_per_image": output.logits_per_image})
    common.write_note(folder, __file__, seed, {
        "expected.safetensors": "projected features before normalisation, and scale * cosine"}, USED,
        eos_token_id=json.loads((folder / "config.json").read_text())["text_config"]["eos_token_id"])


def main():
    out = common.arguments(__doc__).out / "models"
    with torch.no_grad():
        make_stable_diffusion(out, "sd1", SEED)
        vae, _ = make_stable_diffusion(out, "sd2", SEED + 10)
        make_old_vae(out, "vae_old_linear", False, vae, SEED + 20)
        make_old_vae(out, "vae_old_convolution", True, vae, SEED + 20)
        make_clip(out, "clip", False, SEED + 30)
        make_clip(out, "clip_legacy_end", True, SEED + 30)


if __name__ == "__main__":
    main()
