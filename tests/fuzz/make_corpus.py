#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of the fuzz targets, tests/fuzz/corpus: tiny files of every kind that is read.

usage: tests/fuzz/make_corpus.py      (Python's own library is enough)
"""
import collections
import gzip
import io
import json
import pathlib
import pickle
import shutil
import struct
import sys
import tarfile
import types
import zipfile
import zlib

HERE = pathlib.Path(__file__).parent
ORACLE = HERE.parent / "oracle"
OUT = HERE / "corpus"


def put(target, name, content):
    path = OUT / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def images():
    for path in sorted((ORACLE / "image").iterdir()):
        if path.suffix in (".png", ".jpg", ".webp") and path.stat().st_size < 4000:
            put("image", path.name, path.read_bytes())


def idx():
    pictures = struct.pack(">IIII", 0x803, 2, 3, 4) + bytes(range(24))
    labels = struct.pack(">II", 0x801, 5) + bytes(range(5))
    for name, content in (("images", pictures), ("labels", labels)):
        put("idx", name, content)
        put("idx", name + ".gz", gzip.compress(content, mtime=0))


def tar_of(members, form):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    # Python fills up to 20 blocks; two end it.
    return file.getvalue().rstrip(b"\0") + b"\0" * 1024


def shards():
    picture = (ORACLE / "image/grey1.png").read_bytes()
    labelled = [("a.png", picture), ("a.cls", b"0"), ("b.png", picture), ("b.json", b'{"label": 1, "class": "x"}'),
                ("c.png", picture), ("c.txt", b"a name")]
    put("shards", "ustar.tar", tar_of(labelled[:2], tarfile.USTAR_FORMAT))
    put("shards", "pax.tar", tar_of([("\u00fc.png", picture), ("\u00fc.cls", b"7")], tarfile.PAX_FORMAT))
    put("shards", "gnu.tar", tar_of([("n" * 120 + ".png", picture), ("../up.png", picture)], tarfile.GNU_FORMAT))
    put("shards", "labels.tar", tar_of(labelled, tarfile.USTAR_FORMAT))


def lists():
    put("image_list", "csv", 'path,class,label,split\na.png,"x, y",0,train\nb.png,z,1,test\n')
    put("image_list", "jsonl", '{"file_name": "a.png", "label": 1}\n{"file_name": "b.png", "class": "x", "split": "val"}\n')


def element(kind, data):
    return struct.pack("<II", kind, len(data)) + data + b"\0" * (-len(data) % 8)


def matrix(kind, count, name, content):
    head = element(6, struct.pack("<II", kind, 0)) + element(5, struct.pack("<II", 1, count)) + element(1, name)
    return element(14, head + content)


def mat_file(variables, packed):
    front = b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM"
    if not packed:
        return front + b"".join(variables)
    return front + b"".join(struct.pack("<II", 15, len(z)) + z for z in map(zlib.compress, variables))


def mat():
    numbers = matrix(6, 3, b"labels", element(9, struct.pack("<ddd", 1, 2, 3)))
    small = matrix(9, 2, b"labels", struct.pack("<I", 2 << 16 | 2) + b"\1\2\0\0")
    cells = matrix(1, 2, b"class_names", matrix(4, 2, b"", element(16, b"ab")) + matrix(4, 1, b"", element(4, b"c\0")))
    fields = element(5, struct.pack("<I", 32)) + element(1, b"fname".ljust(32, b"\0") + b"class".ljust(32, b"\0"))
    structs = matrix(2, 1, b"annotations", fields + matrix(4, 2, b"", element(16, b"a1")) +
                     matrix(6, 1, b"", element(9, struct.pack("<d", 4))))
    for name, variables in (("numbers", [numbers]), ("small", [small]), ("cells", [cells]), ("structs", [structs])):
        put("mat", name, mat_file(variables, packed=False))
        put("mat", name + "-packed", mat_file(variables, packed=True))


def safetensors_of(tensors, metadata=None):
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def safetensors():
    put("safetensors", "plain", safetensors_of({"a": ("F32", [2], b"\0" * 8), "b.c": ("I64", [], b"\1" * 8)}))
    put("safetensors", "kinds", safetensors_of(
        {"h": ("F16", [1, 2], b"\0" * 4), "z": ("BF16", [0, 3], b""), "t": ("BOOL", [3], b"\0\1\1"),
         "u": ("U8", [1], b"a"), "f": ("F64", [1], b"\0" * 8)}, {"format": "pt"}))


def npy_of(descr, order, shape, content, version=1):
    header = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(header)) + header + content


def npy():
    put("npy", "plain", npy_of("<f4", False, "(2, 3)", b"\0" * 24))
    put("npy", "fortran", npy_of("<i2", True, "(2, 2, 2)", b"\1" * 16))
    put("npy", "number", npy_of("<f8", False, "()", b"\0" * 8, version=2))
    put("npy", "bytes", npy_of("|u1", False, "(3,)", b"abc", version=3))


class Storage:
    """Stands for a tensor's numbers; the pickler writes what PyTorch writes in its place."""

    def __init__(self, key, count, kind="FloatStorage"):
        self.id = ("storage", kind, key, "cpu", count)


class Tensor:
    def __init__(self, storage, shape, strides, wrapped=False):
        self.storage, self.shape, self.strides, self.wrapped = storage, shape, strides, wrapped


def fake_torch():
    """Modules with the names that PyTorch's pickles mention, so that they can be written without it."""
    for name in ("torch", "torch._utils", "torch.nn", "torch.nn.modules"):
        sys.modules[name] = types.ModuleType(name)
    for kind in ("FloatStorage", "HalfStorage", "LongStorage"):
        setattr(sys.modules["torch"], kind, type(kind, (), {"__module__": "torch"}))
    for name in ("_rebuild_tensor_v2", "_rebuild_parameter"):
        exec(f"def {name}(*_): pass", sys.modules["torch._utils"].__dict__)


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if not isinstance(value, Storage):
            return None
        return (value.id[0], getattr(sys.modules["torch"], value.id[1]), *value.id[2:])

    def reducer_override(self, value):
        if not isinstance(value, Tensor):
            return NotImplemented
        utils = sys.modules["torch._utils"]
        if value.wrapped:
            plain = Tensor(value.storage, value.shape, value.strides)
            return utils._rebuild_parameter, (plain, True, collections.OrderedDict())
        return (utils._rebuild_tensor_v2,
                (value.storage, 0, value.shape, value.strides, False, collections.OrderedDict()))


def pickled(value, protocol=2):
    file = io.BytesIO()
    Pickler(file, protocol).dump(value)
    return file.getvalue()


def zip_of(members, method):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, method)
    return file.getvalue()


def torch_files():
    fake_torch()
    weights = collections.OrderedDict(w=Tensor(Storage("0", 6), (2, 3), (3, 1)),
                                      p=Tensor(Storage("0", 6), (3,), (2,), wrapped=True),
                                      h=Tensor(Storage("1", 2, "HalfStorage"), (2,), (1,)))
    nested = {"state_dict": {"a": {"b": Tensor(Storage("0", 6), (6,), (1,))}}, "step": 3, "rate": 0.5}
    for name, root in (("plain", weights), ("nested", nested)):
        for protocol in (2, 4):
            put("pickle", f"{name}-{protocol}", pickled(root, protocol))
        members = [("archive/data.pkl", pickled(root)), ("archive/byteorder", b"little"),
                   ("archive/data/0", b"\0" * 24), ("archive/data/1", b"\1" * 4)]
        put("torch_file", name + ".zip", zip_of(members, zipfile.ZIP_STORED))
        put("torch_file", name + "-packed.zip", zip_of(members, zipfile.ZIP_DEFLATED))
    put("pickle", "attack", b"cos\nsystem\n(S'true'\ntR.")
    put("pickle", "values", pickled({"a": [1, 2.5, None, True, -7, 1 << 70], "b": (b"x", "y", {1}, frozenset([2]))}, 5))
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    rows = [pickle.dumps(0x1950a86a20f9469cfc6c, 2), pickle.dumps(1001, 2), pickle.dumps(system, 2), pickled(weights),
            pickle.dumps(["0", "1"], 2)]
    numbers = struct.pack("<Q", 6) + b"\0" * 24 + struct.pack("<Q", 2) + b"\1" * 4
    put("torch_file", "rows.pt", b"".join(rows) + numbers)
    put("zip", "stored.zip", zip_of([("a/b", b"content"), ("../up", b"")], zipfile.ZIP_STORED))
    put("zip", "deflated.zip", zip_of([("a", b"content" * 20), ("b", b"")], zipfile.ZIP_DEFLATED))


LORA_NAMES = """unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q.lora_A.weight
unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q.lora_B.default.weight
text_encoder.text_model.encoder.layers.0.self_attn.q_proj.lora_linear_layer.down.weight
unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.processor.to_out_lora.up.weight
lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q.lora_down.weight
lora_te_text_model_encoder_layers_0_self_attn_k_proj.alpha
lora_te1_text_model_encoder_layers_0_mlp_fc1.lora_up.weight
base_model.model.encoder.layers.0.self_attn.v_proj.lora.up.weight
"""


def loras():
    names = LORA_NAMES.splitlines()
    put("lora_names", "all", LORA_NAMES)
    for number, name in enumerate(names):
        put("lora_names", str(number), name)
    pair = {names[0]: ("F32", [1, 3], b"\0" * 12), names[1].replace(".default", ""): ("F32", [2, 1], b"\0" * 8)}
    settings = {"unet.r": 1, "unet.lora_alpha": 2, "unet.alpha_pattern": {"to_q": 3}, "unet.use_rslora": True}
    put("lora_file", "peft", safetensors_of(pair, {"lora_adapter_metadata": json.dumps(settings)}))
    stem = names[4].split(".")[0]
    put("lora_file", "kohya", safetensors_of({stem + ".lora_down.weight": ("F16", [1, 3, 1, 1], b"\0" * 6),
                                              stem + ".lora_up.weight": ("F16", [2, 1, 1, 1], b"\0" * 4),
                                              stem + ".alpha": ("F32", [], b"\0" * 4)}, {"ss_network_dim": "1"}))


def tokenizers():
    vocab = {"a": 0, "b</w>": 1, "ab</w>": 2, "<|startoftext|>": 3, "<|endoftext|>": 4}
    special = json.dumps({"bos_token": "<|startoftext|>", "eos_token": {"content": "<|endoftext|>"}})
    config = json.dumps({"model_max_length": 8, "added_tokens_decoder": {"4": {"content": "<|endoftext|>"}}})
    single = {"model": {"end_of_word_suffix": "</w>", "vocab": vocab, "merges": ["a b</w>", ["a", "b</w>"]]},
              "added_tokens": [{"id": 3, "content": "<|startoftext|>"}]}
    put("tokenizer", "single", "\0".join([json.dumps(single), config, special, "", "", "ab a!"]))
    put("tokenizer", "folder", "\0".join(["", config, special, json.dumps(vocab), "#version: 0.2\na b</w>\n",
                                          "ab &amp; \u00fc <|endoftext|>"]))


def configs():
    places = {"unet": "sd1/unet/config.json", "unet2": "sd2/unet/config.json", "vae": "sd1/vae/config.json",
              "text": "sd2/text_encoder/config.json", "scheduler": "sd1/scheduler/scheduler_config.json",
              "scheduler2": "sd2/scheduler/scheduler_config.json", "clip": "clip/config.json",
              "dinov2": "dinov2/config.json"}
    for name, place in places.items():
        put("model_config", name, (ORACLE / "models" / place).read_bytes())
    put("model_config", "infinity", '{"lambda_min_clipped": -Infinity, "_class_name": "DPMSolverMultistepScheduler"}')


def records():
    normal = {"image_mean": [0.48, 0.46, 0.41], "image_std": [0.27, 0.26, 0.28]}
    clip = {"do_resize": True, "size": {"shortest_edge": 224}, "resample": 3, "do_center_crop": True,
            "crop_size": {"height": 224, "width": 224}, "do_rescale": True, "rescale_factor": 1 / 255,
            "do_normalize": True, **normal}
    layer = "base_model.model.layer"
    settings = {"subjects": [{"class": "cup", "folder": "cup", "prompt": "a cup", "lora": []}], "seed": 0}
    hashes = "0" * 64
    files = {
        "preprocessor": clip, "preprocessor4": {**clip, "size": 224, "crop_size": 224},
        "processor": {"image_processor": clip},
        "open_clip": {"model_cfg": {"embed_dim": 8, "vision_cfg": {"image_size": 224}},
                      "preprocess_cfg": {"mean": normal["image_mean"], "std": normal["image_std"],
                                         "interpolation": "bicubic", "resize_mode": "shortest"}},
        "index": {"metadata": {"total_size": 24}, "weight_map": {"a.weight": "model-00001-of-00001.safetensors"}},
        "adapter": {"peft_type": "LORA", "r": 2, "lora_alpha": 2, "target_modules": ["layer"], "rank_pattern": {},
                    "alpha_pattern": {layer: 4}, "use_rslora": False},
        "classifier": {"format": "datadream classifier 1", "identity": "identity", "class_names": ["cup", "hat"],
                       "template": "a photo of a {}", "clip_fingerprint": hashes},
        "split": {"train": [["cup/0.png", 0, "cup"]], "val": [["hat/0.png", 1, "hat"]], "test": []},
        "shots": {"data": "set", "split": "train", "seed": 1, "shots": 1,
                  "images": [{"id": "cup/0.png", "class": "cup", "label": 0, "sha256": hashes}]},
        "generated": {"settings": settings, "images_each": 2, "loras": [[]]},
    }
    for name, content in files.items():
        put("records", name, json.dumps(content))
    put("records", "captions", '{"id": "cup/0.png", "caption": "a cup on a table"}\n')
    put("records", "metadata", '{"file_name": "cup/00000.png", "class": "cup", "label": 0}\n')
    put("records", "prints", json.dumps({"role": "few-shot", "id": "cup/0.png", "sha256": hashes,
                                         "thumb": "0" * 144}) + "\n")
    put("records", "classes", "# folder\tname\ncup => a cup\nhat\n")


def tables():
    """The first byte says which file it is; see tables.cpp."""
    files = ("run", "results", "stages", "projection", "alignment", "nearest", "adapter", "scores", "classifier")
    texts = {
        "run": json.dumps({"version": "0.0", "settings": {"data": "photos", "shots": 2, "per_class": 3}, "seeds": [0, 1],
                           "model": "model", "model_hash": "abc",
                           "classes": [{"name": "Bag", "folder": "Bag"}, {"name": "hat", "folder": "odd"}]}),
        "results": json.dumps([{"method": "real", "mode": "none", "seed": 0, "top1": 0.5, "n": 4, "seconds": 9,
                                "shots": 2, "images_per_class": 0, "evaluation": "seed-0/evaluate-real",
                                "classifier": "seed-0/train-real", "effort": {"train_pictures": 8}}]),
        "stages": json.dumps({"seed-0/train-real": {"seconds": 90.5, "peak_memory": 1 << 30, "work": "train", "units": 9}}),
        "projection": json.dumps({"shares": [0.5, 0.25], "points": {"real": [[0, 1], [1, 0]], "class": [[0.5, 1]]}}),
        "alignment": json.dumps({"n_real": 100, "n_synthetic": 6, "fid": 12.25, "kid": None, "features": "clip",
                                 "intervals": {"fid": [11.5, 13.5]}, "cautions": ["few"], "copies": {"flagged": 1}}),
        "nearest": "file,class,nearest_real,nearest_class,cosine,nearest_shot,shot_cosine,near_copy\n"
                   "Bag/00000.png,Bag,train/4,Bag,0.5,,,0\n",
        "adapter": json.dumps({"loss": [[10, 0.5], [20, 0.25]], "fixed_noise_loss": [[10, 0.4]]}),
        "scores": json.dumps({"top1": 0.5, "top5": 1.0, "ece": 0.125, "per_class": [0.5, None],
                              "confusion": [[3, 1], [2, 2]]}),
        "classifier": json.dumps({"curves": {"loss": [[10, 0.5]], "rate": [[10, 0.1]]}}),
    }
    for place, name in enumerate(files):
        put("tables", name, chr(ord("A") + (place - ord("A")) % len(files)) + texts[name])
    put("tables", "predictions", 'pfile,label,predicted,Bag,"a ""name"", quoted"\ntest/0,0,0,3,1\ntest/1,0,1,1,2\n')
    put("tables", "toml", "tseed = 7\n[paint]\nwidth = 0.25\nglossy = false\ncolour = 'blue'\nseeds = [1, 2]\n")
    row = {"method": "real", "mode": "none", "shots": 1, "images_per_class": 0, "top1": 0.5, "top1_deviation": 0.1,
           "top1_by_seed": [0.4, 0.6], "n": 4, "seconds": 3}
    cell = {"method": "real", "mode": "none", "shots": 1, "images_per_class": 0, "seed": 0, "top1": 0.5, "n": 4,
            "seconds": 3, "split": "test", "protocol": "held-out"}
    put("tables", "sweep", "s" + json.dumps({"identity": {}, "settings": {"data": "photos"}, "planned_cells": 2,
                                             "cells": [cell], "rows": [row]}))
    put("tables", "cifar", "c" + "\1" + "\0" * 3072)


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    for write in (images, idx, shards, lists, mat, safetensors, npy, torch_files, loras, tokenizers, configs, records,
                  tables):
        write()
    sizes = [path.stat().st_size for path in OUT.rglob("*") if path.is_file()]
    print(f"{len(sizes)} files, {sum(sizes)} bytes in {OUT}")


if __name__ == "__main__":
    main()
