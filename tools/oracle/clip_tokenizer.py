# SPDX-License-Identifier: Apache-2.0
"""Records what transformers' CLIPTokenizer and OpenAI's rules make of many prompts (tests/oracle/text).

The vocabulary is learned here, by the plainest possible code, from the sentences below, so the same
files also pin the C++ learner. OpenAI's rules (ftfy, HTML, white space, lower case, pattern, merges)
are written out as `OpenAi`; transformers itself no longer cleans text, so it gets cleaned text.
"""

import html
import json
from collections import Counter

import ftfy
import regex
from common import arguments, fresh_folder, versions, write_json
from tokenizer import END, START, byte_symbols
from transformers import CLIPTokenizer

MERGES = 300
CONTEXT = 77
WORD = regex.compile(r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]"
                     r"|[^\s\p{L}\p{N}]+", regex.IGNORECASE)

CORPUS = [
    "a photo of a cat", "a photo of a dog", "a blurry photo of the small red car",
    "A Photo of a Boat",
    "a black and white picture of an ankle boot on a wooden floor", "the dog's bowl isn't here",
    "it's what they've seen: we're late, I'm told you'll come, he'd know",
    "12 shirts, 7 coats, 1999",
    "a close-up of a flower... wow!!!", "café crème brûlée à la carte", "naïve façade, Äpfel & Öl",
    "Größe und Straße", "фотография кошки и собаки", "一张猫的照片", "猫と犬の写真", "고양이 사진",
    "ένας σκύλος και μια γάτα", "صورة قطة", "emoji 😀😀 and 🐱 and 🎉",
    "sneaker, sandal, pullover, dress",
    "a sculpture of a horse in a museum; an oil painting of the sea (2021)",
    "100% cotton, $20 @ shop",
    "satellite image of a forest, of an annual crop, of a highway", "\"quoted\" text -- and more",
]

WORDS_77 = "a photo of a cat and "

PROMPTS = [
    "", " ", "\t\n", "a", "A", "cat", "a photo of a cat", "A PHOTO OF A CAT",
    "a photo of a ankle boot",
    "  many   spaces\tand\nlines\r\nhere \u2028end ", "Unknown zebra quokka xylophone",
    "T-shirt/top",
    # Contractions, quotes, apostrophes
    "it's they've we're I'm you'll he'd isn't", "IT'S THEY'VE", "dog's' 's 't", "''s'", "!'s",
    "rock'n'roll",
    "don\u2019t \u201cquote\u201d \u2018single\u2019 \u201alow\u201e", "l\u02bcami", "x'\u017f",
    "o'clock'd've",
    # Numbers
    "1", "12", "2021", "3.14159", "1,000,000", "x2y3", "½ cup", "Ⅷ and ⅷ", "٣٤٥ ४५", "10³ m²", "①②",
    # Accents, composed and not
    "café", "cafe\u0301", "CAFÉ", "ÀÉÎÕÜ", "Straße STRASSE ẞ", "İstanbul ISTANBUL ı",
    "ΣΊΣΥΦΟΣ ΟΔΟΣ", "ǅ Ǆ ǆ",
    "naïve façade", "Å Å", "ệ ê\u0323", "Ω Ω K k", "œuvre ÆØÅ æøå",
    # Ligatures, widths, controls
    "ﬁne ﬂuﬃeﬆ ﬅ ĳ Ĳ ŉ", "ＬＯＵＤ　ＮＯＩＳＥ！", "ｶﾞｷﾞ ﾊﾟ ﾡ ￦", "＂quoted＂ ＇s", "a\u0000b\u0007c\u007fd",
    "\ufeffbom", "zero\u200bwidth\u200djoin", "soft\u00adhyphen", "red \x1b[31mtext\x1b[0m end",
    "no\u00a0break",
    "\x93curled\x94 \x85", "bidi \u202eabc\u202c", "\ufffc object \ufffd", "x\u0345 \u0345 α\u0345",
    # Entities
    "cats &amp; dogs", "&lt;b&gt;bold&lt;/b&gt;", "&amp;amp;amp; deep", "<b>&amp;amp;</b> &lt;",
    "&eacute;&EACUTE;&Eacute; &NTILDE;", "&#233;&#xe9;&#XE9; &#65;",
    "&quot;q&quot; &apos;s &rsquo;s",
    "AT&T R&D &amp no semicolon &notit; &copy2021",
    "&#0; &#x110000; &#xD800; &#128; &#150; &#31; &#xFFFE;x",
    "&#59; &semi; &#x3b;", "&unknown; &; & &# &#x; &#; &a;", "&NotEqualTilde; &bne; &fjlig;",
    "&hellip;&mdash;",
    "&#99999999999999999999;", "&nbsp;&nbsp;x", "&#1234abc;", "one &lt;\n&amp;lt; two",
    "&Amp; &AMP; &aMP;",
    # Symbols and emoji
    "😀", "😀😀😀", "👩‍👩‍👧‍👦 family", "🏳️‍🌈 flag 🇫🇷", "❤️ heart ♥", "→ ← ∞ ≠", "a+b=c", "#tag @user",
    "100% $20 €30",
    "!", "!!", "!!!", "hello!", "hello ! world", "!a!b!", "?!?!", "wow!!! 'tis", "...", "-- –— ---",
    "(a) [b] {c}",
    "under_score", "C:\\path\\file.png", "https://example.org/a?b=c&d=e", "\\n \\t", "~`^|",
    # Scripts
    "一张猫的照片", "猫と犬の写真、きれい。", "고양이 사진", "фотография КОШКИ", "ένας ΣΚΎΛΟΣ", "صورة قطة",
    "תמונה של חתול",
    "รูปแมว", "बिल्ली की तस्वीर", "𝓕𝓪𝓷𝓬𝔂 𝟙𝟚", "𐐀𐐨", "ꙮ ʰ ª º", "mixed猫cat犬dog1",
    # Length
    WORDS_77 * 12, WORDS_77 * 12 + "end", " ".join(["cat"] * 75), " ".join(["cat"] * 76),
    " ".join(["cat"] * 74),
    "z" * 200, "é" * 80, "😀" * 40, "!" * 100, "1" * 90, "a" * 75, "! " * 76,
]

# Special tokens inside a text: transformers cuts at them wherever they stand, which is our rule too.
SPECIAL_PROMPTS = [
    START, END, START + END, "a <|endoftext|> b", "<|endoftext|>cat", "cat<|startoftext|>dog",
    "x <|endoftext|",
    "<|endoftext |>", "! <|endoftext|> !", "<|startoftext|>a photo of a cat<|endoftext|>",
    "!<|endoftext|>!",
]


def clean(text):
    text = html.unescape(html.unescape(ftfy.fix_text(text, fix_encoding=False))).strip()
    return regex.sub(r"\s+", " ", text).strip().lower()


def learn(corpus, merges):
    """Most frequent pair first, of equal ones that with the lower ids."""
    symbols = byte_symbols()
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    order = printable + [byte for byte in range(256) if byte not in printable]
    of_byte = dict(zip(order, symbols))
    names = symbols + [symbol + "</w>" for symbol in symbols]
    ids = {name: number for number, name in enumerate(names)}
    counts = Counter()
    for text in corpus:
        for word in WORD.findall(clean(text)):
            parts = [of_byte[byte] for byte in word.encode()]
            counts[tuple(ids[part] for part in [*parts[:-1], parts[-1] + "</w>"])] += 1
    rules = []
    for _ in range(merges):
        pairs = Counter()
        for word, count in counts.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += count
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        rules.append((names[best[0]], names[best[1]]))
        joined = "".join(rules[-1])
        if joined not in ids:
            ids[joined] = len(names)
            names.append(joined)
        merged = Counter()
        for word, count in counts.items():
            merged[replace(word, best, ids[joined])] += count
        counts = merged
    for name in (START, END):
        ids[name] = len(ids)
    return ids, rules, of_byte


def replace(word, pair, new):
    result, place = [], 0
    while place < len(word):
        hit = word[place:place + 2] == pair
        result.append(new if hit else word[place])
        place += 2 if hit else 1
    return tuple(result)


class OpenAi:
    """The rules of OpenAI's CLIP for one text."""

    def __init__(self, ids, rules, of_byte):
        self.ids, self.of_byte = ids, of_byte
        self.rank = {(ids[left], ids[right]): (number, ids[left + right])
                     for number, (left, right) in enumerate(rules)}

    def word(self, word):
        if word in (START, END):
            return [self.ids[word]]
        parts = [self.of_byte[byte] for byte in word.encode()]
        symbols = tuple(self.ids[part] for part in [*parts[:-1], parts[-1] + "</w>"])
        while known := [pair for pair in zip(symbols, symbols[1:]) if pair in self.rank]:
            best = min(known, key=lambda pair: self.rank[pair])
            symbols = replace(symbols, best, self.rank[best][1])
        return list(symbols)

    def __call__(self, text):
        ids = [number for word in WORD.findall(clean(text)) for number in self.word(word)]
        return [self.ids[START], *ids[:CONTEXT - 2], self.ids[END]]


def write_folder(folder, ids, rules):
    fresh_folder(folder)
    (folder / "vocab.json").write_text(json.dumps(ids, ensure_ascii=False) + "\n", encoding="utf-8")
    lines = ["#version: 0.2"] + [" ".join(rule) for rule in rules]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    write_json(folder / "special_tokens_map.json", special)
    write_json(folder / "tokenizer_config.json", {
        "tokenizer_class": "CLIPTokenizer", "model_max_length": CONTEXT, "add_prefix_space": False,
        "do_lower_case": True, "errors": "replace", **special})


def write_single(folder, tokenizer):
    """What transformers 5 saves, without the indentation."""
    tokenizer.save_pretrained(folder)
    for path in folder.iterdir():
        value = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps(value, ensure_ascii=False) + "\n", encoding="utf-8")


def encode(tokenizer, text):
    """Ids up to the end token."""
    found = tokenizer(clean(text), padding="max_length", truncation=True, max_length=CONTEXT)
    return found["input_ids"][:sum(found["attention_mask"])]


def main():
    out = arguments(__doc__).out / "text"
    out.mkdir(parents=True, exist_ok=True)  # it holds the test as well
    ids, rules, of_byte = learn(CORPUS, MERGES)
    write_folder(out / "files", ids, rules)
    openai = OpenAi(ids, rules, of_byte)
    hugging_face = CLIPTokenizer.from_pretrained(out / "files")
    # A folder as SD 2 publishes it: special_tokens_map.json alone says "!", and wins.
    sd2_folder = out / "sd2"
    write_folder(sd2_folder, ids, rules)
    special = json.loads((sd2_folder / "special_tokens_map.json").read_text())
    write_json(sd2_folder / "special_tokens_map.json", {**special, "pad_token": "!"})
    sd2 = CLIPTokenizer.from_pretrained(sd2_folder)
    assert sd2.pad_token == "!", "this transformers does not let special_tokens_map.json win"
    for path in sd2_folder.iterdir():
        path.unlink()
    write_single(fresh_folder(out / "files_v5"), hugging_face)
    write_single(sd2_folder, sd2)

    cases = []
    for text in PROMPTS + SPECIAL_PROMPTS:
        plain = encode(hugging_face, text)
        case = {"text": text, "cleaned": clean(text),
                "ids": openai(text) if text in PROMPTS else plain,
                "sd2": encode(sd2, text)}
        if case["ids"] != plain:  # OpenAI's pattern ignores case, transformers' does not
            case["transformers"] = plain
        cases.append(case)
    lines = ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases)
    (out / "prompts.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    write_json(out / "corpus.json", CORPUS)
    write_json(out / "README.json", {
        "script": "tools/oracle/clip_tokenizer.py", "regenerate": "tools/oracle/regenerate",
        "versions": versions("transformers", "tokenizers", "ftfy", "regex"), "seed": None,
        "tolerance": "none: ids are equal",
        "files": {
            "files": f"vocabulary with {MERGES} merges learned from corpus.json",
    "files_v5": "the same as transformers saves it", "sd2": "the same, padded with ! (id 0)",
            "prompts.json": "text; cleaned by ftfy without its guesses at encodings; ids up to the end token by "
                            "OpenAI's rules, by transformers where a text holds special tokens; under "
                            "transformers what it gives where that differs; under sd2 its ids for sd2"}})


if __name__ == "__main__":
    main()
