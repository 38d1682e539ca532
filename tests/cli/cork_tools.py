"""Looks at and spoils artifacts: cork_tools.py check|shorten|unpack|spoil|flip FILE [TO], same FILE OTHER, cut FILE TO ENTRY, contract FILE TO WHAT BY."""
import sys, zipfile, struct, io

what, source = sys.argv[1:3]
with open(source, "rb") as f:
    data = f.read()
archive = zipfile.ZipFile(io.BytesIO(data))


def offset(info):
    name, extra = struct.unpack("<HH", data[info.header_offset + 26 : info.header_offset + 30])
    return info.header_offset + 30 + name + extra


if what == "check":
    bad = [i.filename for i in archive.infolist() if i.compress_type or offset(i) % 64]
    sys.exit(bool(bad) or archive.testzip() is not None)
if what == "same":  # the self-tests of two artifacts
    other = zipfile.ZipFile(sys.argv[3])
    names = [n for n in archive.namelist() if n.startswith("selftest/") and n.endswith(".npy")]
    sys.exit(any(archive.read(n) != other.read(n) for n in names))
if what == "flip":  # one byte of the constants: the archive's sum no longer fits
    at = offset(archive.getinfo("weights/constants.bin")) + 8
    data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
    with open(sys.argv[3], "wb") as f:
        f.write(data)
    sys.exit(0)
with zipfile.ZipFile(sys.argv[3], "w", zipfile.ZIP_STORED) as to:
    for info in archive.infolist():
        content = archive.read(info)
        packed = info.filename.startswith("weights/packed/")
        if what == "unpack" and packed:
            continue
        if what == "shorten" and packed:
            content = content[:-64]
        if what == "spoil" and info.filename == "selftest/output_1.npy":
            content = content[:-1] + bytes([content[-1] ^ 0x40])
        if what == "cut" and info.filename == sys.argv[4]:
            content = content[: len(content) // 2]
        if what == "contract" and info.filename == "contract.json":
            content = content.replace(sys.argv[4].encode(), sys.argv[5].encode())
        to.writestr(info, content)
