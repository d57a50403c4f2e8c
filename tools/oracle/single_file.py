# SPDX-License-Identifier: Apache-2.0
"""The models of models.py as single-file checkpoints, in the layout of Stability's and CompVis's code.

tests/oracle/single_file/sd1.ckpt.zip   a training state: state_dict, averaged weights, buffers
tests/oracle/single_file/sd2.ckpt.zip   written as before PyTorch 1.6; OpenCLIP's text tower, a layer more

Zipped, because half of so small a file is the names of its tensors; float16 numbers with the precision
of bfloat16, because their last bits are noise that does not pack.

The names are made from diffusers' by rules of this script; diffusers' own converters must lead back to
the weights of the folders.
"""

import io
import json
import re
import zipfile

import torch
from diffusers.loaders import single_file_utils
from safetensors.torch import load_file

import common

USED = ("diffusers", "transformers")
UNET_RESNET = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1",
               "norm2": "out_layers.0", "conv2": "out_layers.3", "conv_shortcut": "skip_connection"}
UNET_ENDS = {"conv_in": "input_blocks.0.0", "time_embedding.linear_1": "time_embed.0",
             "time_embedding.linear_2": "time_embed.2", "conv_norm_out": "out.0", "conv_out": "out.2",
             "mid_block.attentions.0": "middle_block.1"}
VAE_PARTS = {"mid_block.resnets.0": "mid.block_1", "mid_block.resnets.1": "mid.block_2",
             "mid_block.attentions.0.group_norm": "mid.attn_1.norm",
             "mid_block.attentions.0.to_q": "mid.attn_1.q", "mid_block.attentions.0.to_k": "mid.attn_1.k",
             "mid_block.attentions.0.to_v": "mid.attn_1.v",
             "mid_block.attentions.0.to_out.0": "mid.attn_1.proj_out",
             "conv_norm_out": "norm_out", "conv_shortcut": "nin_shortcut"}
OPENCLIP = {"embeddings.token_embedding": "token_embedding", "final_layer_norm": "ln_final",
            "embeddings.position_embedding.weight": "positional_embedding",
            "encoder.layers": "transformer.resblocks", "layer_norm": "ln_",
            "self_attn.out_proj": "attn.out_proj", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}


def replace_all(name, table):
    for ours, theirs in table.items():
        name = name.replace(ours, theirs)
    return name


def unet_name(name, config):
    """Blocks are counted through all levels; a block is a resnet with its transformer."""
    per_level = config["layers_per_block"] + 1
    found = re.match(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.*)", name)
    if found:
        side, level, kind, number, rest = found[1], int(found[2]), found[3], int(found[4]), found[5]
        block = level * per_level + number + (1 if side == "down" else 0)
        if kind == "downsamplers":
            return f"input_blocks.{(level + 1) * per_level}.0.op.{rest.removeprefix('conv.')}"
        if kind == "upsamplers":
            attends = "CrossAttn" in config["up_block_types"][level]
            return f"output_blocks.{level * per_level + per_level - 1}.{2 if attends else 1}.{rest}"
        place = f"{'input' if side == 'down' else 'output'}_blocks.{block}"
        return f"{place}.0.{replace_all(rest, UNET_RESNET)}" if kind == "resnets" else f"{place}.1.{rest}"
    found = re.match(r"mid_block\.resnets\.(\d)\.(.*)", name)
    if found:
        return f"middle_block.{2 * int(found[1])}.{replace_all(found[2], UNET_RESNET)}"
    for ours, theirs in UNET_ENDS.items():
        if name.startswith(ours + "."):
            return theirs + name[len(ours):]
    raise KeyError(name)


def vae_name(name, config):
    levels = len(config["block_out_channels"])
    name = replace_all(name, VAE_PARTS)
    name = re.sub(r"down_blocks\.(\d+)\.resnets", r"down.\1.block", name)
    name = re.sub(r"down_blocks\.(\d+)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(r"up_blocks\.(\d+)\.resnets", lambda m: f"up.{levels - 1 - int(m[1])}.block", name)
    return re.sub(r"up_blocks\.(\d+)\.upsamplers\.0", lambda m: f"up.{levels - 1 - int(m[1])}.upsample", name)


def openclip_tower(text, extra_layers):
    """q, k and v in one tensor; the position's embedding without `.weight`; a last layer and a
    projection that Stable Diffusion does not use."""
    tower = {}
    for name, value in text.items():
        found = re.match(r"(encoder\.layers\.\d+\.self_attn\.)q_proj\.(weight|bias)", name)
        if found:
            parts = [text[f"{found[1]}{part}_proj.{found[2]}"] for part in "qkv"]
            place = replace_all(found[1], OPENCLIP).replace("self_attn.", "attn.")
            tower[f"{place}in_proj_{found[2]}"] = torch.cat(parts)
        elif not re.search(r"\.[kv]_proj\.", name):
            place = replace_all(name, OPENCLIP)
            tower[place.replace("positional_embedding.weight", "positional_embedding")] = value
    layers = {int(name.split(".")[2]) for name in tower if name.startswith("transformer.")}
    for extra in range(extra_layers):
        last = f"transformer.resblocks.{max(layers)}."
        for name in [name for name in tower if name.startswith(last)]:
            place = name.replace(last, f"transformer.resblocks.{max(layers) + 1 + extra}.")
            tower[place] = torch.zeros_like(tower[name])
    width = text["final_layer_norm.weight"].shape[0]
    return {**tower, "text_projection": torch.zeros(width, width), "logit_scale": torch.tensor(4.6)}


def read_folder(folder):
    parts = {}
    for part, file in {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model",
                       "text_encoder": "model"}.items():
        config = json.loads((folder / part / "config.json").read_text())
        tensors = {name: value.bfloat16().half() if value.is_floating_point() else value
                   for name, value in load_file(folder / part / f"{file}.safetensors").items()}
        parts[part] = (tensors, config)
    return parts


def single_file(parts, second):
    unet, unet_config = parts["unet"]
    vae, vae_config = parts["vae"]
    text = {name.removeprefix("text_model."): value for name, value in parts["text_encoder"][0].items()}
    whole = {f"model.diffusion_model.{unet_name(name, unet_config)}": value for name, value in unet.items()}
    for name, value in vae.items():
        convolution = ".attentions." in name and value.ndim == 2
        place = f"first_stage_model.{vae_name(name, vae_config)}"
        whole[place] = value[:, :, None, None] if convolution else value
    if second:
        text.pop("embeddings.position_ids", None)
        for name, value in openclip_tower(text, 1).items():
            whole[f"cond_stage_model.model.{name}"] = value.half()
    else:
        text["embeddings.position_ids"] = torch.arange(77)[None]
        for name, value in text.items():
            whole[f"cond_stage_model.transformer.text_model.{name}"] = value
    return whole


def check(whole, parts, second):
    """diffusers reads the same weights from it."""
    def equal(one, other):
        assert set(one) == set(other), sorted(set(one) ^ set(other))[:5]
        for name in one:
            assert torch.equal(one[name].reshape(other[name].shape), other[name]), name

    unet, config = parts["unet"]
    equal(single_file_utils.convert_ldm_unet_checkpoint(dict(whole), config), unet)
    vae, config = parts["vae"]
    equal(single_file_utils.convert_ldm_vae_checkpoint(dict(whole), config), vae)
    text = {f"text_model.{name.removeprefix('text_model.')}": value
            for name, value in parts["text_encoder"][0].items() if "position_ids" not in name}
    if second:
        class Model:
            class config:
                hidden_size = text["text_model.final_layer_norm.weight"].shape[0]
        found = single_file_utils.convert_open_clip_checkpoint(Model, dict(whole))
        last = f"text_model.encoder.layers.{parts['text_encoder'][1]['num_hidden_layers']}."
        found = {name: value for name, value in found.items()
                 if not name.startswith(last) and name not in ("text_projection.weight",)}
    else:
        found = single_file_utils.convert_ldm_clip_checkpoint(dict(whole))
        found.pop("text_model.embeddings.position_ids")
    equal(found, text)


def training_state(whole):
    buffers = {"betas": torch.linspace(0, 1, 10), "alphas_cumprod": torch.ones(10), "model_ema.decay": torch.tensor(0.9)}
    average = {"model_ema." + name.removeprefix("model.").replace(".", ""): value[:1] for name, value in
               list(whole.items())[:3]}
    return {"epoch": 1, "global_step": 875000, "state_dict": {**whole, **buffers, **average}}


def save_zipped(content, path, **how):
    buffer = io.BytesIO()
    torch.save(content, buffer, **how)
    with zipfile.ZipFile(path.with_name(path.name + ".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(path.name), buffer.getvalue(), zipfile.ZIP_DEFLATED, 9)


def main():
    out = common.arguments(__doc__).out
    folder = common.fresh_data(out / "single_file")
    first, second = read_folder(out / "models" / "sd1"), read_folder(out / "models" / "sd2")
    whole = single_file(first, False)
    check(whole, first, False)
    save_zipped(training_state(whole), folder / "sd1.ckpt")
    whole = single_file(second, True)
    check(whole, second, True)
    save_zipped({"state_dict": whole}, folder / "sd2.ckpt", _use_new_zipfile_serialization=False)
    common.write_note(folder, __file__, None, {
        "sd1.ckpt.zip, sd2.ckpt.zip": "the weights of models/sd1 and models/sd2, rounded to "
        "bfloat16, then held in float16"}, USED)


if __name__ == "__main__":
    main()
