#!/usr/bin/env python3
"""Writes src/image/captions.ttf: the letters captions need, out of DejaVu Sans.

Usage: tools/gen_font.py [DejaVuSans.ttf]. Made with fontTools 4.68.0 from fonts-dejavu-core 2.37.
What is left out: hints (they are made while drawing), layout tables (no shaping, hence no Arabic),
and every letter outside the ranges below. The licence allows parts of it in larger software, see
NOTICE; it travels in the font's name table.
"""
import sys
from fontTools import subset
from fontTools.ttLib import TTFont

RANGES = [
    (0x0020, 0x007E), (0x00A0, 0x024F),  # Latin with accents
    (0x02C6, 0x02DD), (0x0300, 0x0304), (0x0306, 0x030C), (0x0323, 0x0328),  # accents alone
    (0x0370, 0x03FF),  # Greek
    (0x0400, 0x045F), (0x0490, 0x04F9),  # Cyrillic
    (0x0531, 0x058A), (0x10D0, 0x10FC),  # Armenian, Georgian
    (0x1E00, 0x1EFF),  # Vietnamese and others
    (0x2010, 0x2027), (0x2030, 0x203A), (0x2070, 0x209C), (0x20A0, 0x20B5),  # punctuation, digits, money
    (0x2116, 0x2116), (0x2122, 0x2122), (0x2190, 0x2193), (0x2212, 0x2212), (0x2248, 0x2265),
    (0x25A0, 0x25A1), (0x2605, 0x2606), (0x2713, 0x2717), (0xFFFD, 0xFFFD),
]
source = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
options = subset.Options(hinting=False, layout_features=[], notdef_outline=True, recalc_timestamp=False,
                         glyph_names=False, name_IDs=[0, 1, 2, 5, 8, 13, 14], name_languages=[0x409],
                         drop_tables=["GSUB", "GPOS", "GDEF", "kern", "FFTM", "DSIG", "gasp", "hdmx", "VDMX", "LTSH"])
font = TTFont(source, recalcTimestamp=False)
maker = subset.Subsetter(options)
maker.populate(unicodes=[c for first, last in RANGES for c in range(first, last + 1)])
maker.subset(font)
font.save("src/image/captions.ttf")
