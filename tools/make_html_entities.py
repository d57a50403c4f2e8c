#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes src/dd/text/html5_entities.inc and capital_entities.inc from Python's HTML5 table.

Run from anywhere: tools/make_html_entities.py. Each entry is name=hex[,hex]; the second file holds
the names that ftfy also reads in capitals: names in lower case whose capitals mean nothing in HTML.
"""
import html
import html.entities
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "src/dd/text"


def packed(entities):
    lines, line = [], ""
    for name, value in sorted(entities.items()):
        entry = name + "=" + ",".join(f"{ord(c):x}" for c in value) + " "
        if len(line) + len(entry) > 96:
            lines.append(line)
            line = ""
        line += entry
    lines.append(line.rstrip())
    return "".join(f'"{line}"\n' for line in lines)


def main():
    html5 = html.entities.html5
    capitals = {}
    for name, value in html5.items():
        reference = "&" + name.upper()
        if name.endswith(";") and name == name.lower() and html.unescape(reference) == reference:
            capitals[name.upper()] = value.upper()
    for file, entities in (("html5", html5), ("capital", capitals)):
        text = "// SPDX-License-Identifier: Apache-2.0\n"
        text += "// Made by tools/make_html_entities.py.\n" + packed(entities)
        (FOLDER / f"{file}_entities.inc").write_text(text)


if __name__ == "__main__":
    main()
