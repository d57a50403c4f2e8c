# SPDX-License-Identifier: Apache-2.0
"""A CLIP byte-pair tokenizer with a few hundred entries, in the files a published model carries."""

from common import write_json

START, END = "<|startoftext|>", "<|endoftext|>"
WORDS = ("a photo of the cat dog bag coat dress shirt sneaker sandal boot trouser pullover "
         "red blue black white small").split()


def byte_symbols():
    """GPT-2's printable stand-ins for the 256 bytes, in the order CLIP's vocabulary has them."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + place) for place in range(len(hidden))]


def merge_rules():
    """Joins each word from its left end, so that every word of WORDS becomes one token."""
    rules = []
    for word in WORDS:
        parts = [*word[:-1], word[-1] + "</w>"]
        while len(parts) > 1:
            pair = (parts[0], parts[1])
            if pair not in rules:
                rules.append(pair)
            parts[:2] = ["".join(pair)]
    return rules


def vocabulary(rules=None):
    """Entry → id; `rules` are the pairs to join, those of WORDS by default."""
    rules = merge_rules() if rules is None else rules
    symbols = byte_symbols()
    entries = symbols + [symbol + "</w>" for symbol in symbols]
    entries += ["".join(rule) for rule in rules] + [START, END]
    return {entry: number for number, entry in enumerate(entries)}


def write_tokenizer(folder, pad_token, rules=None):
    """vocab.json, merges.txt and the two files that name the special tokens; SD 1 pads with the end
    token, SD 2 with "!". `rules` are the pairs to join, those of WORDS by default. Returns the
    vocabulary."""
    folder.mkdir(exist_ok=True)
    rules = merge_rules() if rules is None else rules
    entries = vocabulary(rules)
    write_json(folder / "vocab.json", entries)
    lines = ["#version: 0.2"] + [" ".join(rule) for rule in rules]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": pad_token}
    write_json(folder / "special_tokens_map.json", special)
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "do_lower_case": True,
              "errors": "replace", "add_prefix_space": False, **special}
    write_json(folder / "tokenizer_config.json", config)
    return entries


def encode(entries, prompt, pad_token, length=77):
    """Ids of a prompt made of WORDS, padded; kept this plain so that it can be read as a definition."""
    ids = [entries[START]] + [entries[word + "</w>"] for word in prompt.split()] + [entries[END]]
    return ids + [entries[pad_token]] * (length - len(ids))
