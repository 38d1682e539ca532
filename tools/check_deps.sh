#!/bin/sh
# check_deps.sh build|test [--install]: says which Debian packages are missing in one apt line, or
# installs them. "build" is what `make` needs, "test" adds what ./test needs; bzip2 and xxd are in remedies
# that doctor prints, which the tests run as printed.
set -u
what=${1:-build}
build="gcc libc6-dev make cmake ninja-build pkg-config zlib1g-dev libbz2-dev liblzma-dev liblz4-dev libjpeg62-turbo-dev libpng-dev libwebp-dev libtiff-dev libgif-dev libopenjp2-7-dev libfreetype-dev libpcre2-dev libutf8proc-dev"
test="git clang libclang-rt-14-dev clang-format libcmocka-dev python3 python3-numpy universal-ctags xz-utils bzip2 xxd"

# A package is there when the file that stands for it is, so that other systems than Debian pass too.
have() {
    case $1 in
    gcc | make | cmake | clang | python3 | clang-format | git | bzip2 | xxd) command -v "$1" >/dev/null 2>&1 ;;
    ninja-build) command -v ninja >/dev/null 2>&1 ;;
    pkg-config) command -v pkg-config >/dev/null 2>&1 ;;
    universal-ctags) command -v ctags >/dev/null 2>&1 ;;
    xz-utils) command -v xz >/dev/null 2>&1 ;;
    python3-numpy) python3 -c 'import numpy' >/dev/null 2>&1 || { [ -x /usr/bin/python3 ] && /usr/bin/python3 -c 'import numpy' >/dev/null 2>&1; } ;;
    libclang-rt-14-dev) ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.asan*.a >/dev/null 2>&1 || ls /usr/lib/clang/*/lib/linux/libclang_rt.asan*.a >/dev/null 2>&1 ;;
    libc6-dev) header stdlib.h ;;
    zlib1g-dev) header zlib.h ;;
    libbz2-dev) header bzlib.h ;;
    liblzma-dev) header lzma.h ;;
    liblz4-dev) header lz4frame.h ;;
    libjpeg62-turbo-dev) header jpeglib.h ;;
    libpng-dev) header png.h ;;
    libwebp-dev) header webp/demux.h ;;
    libtiff-dev) header tiffio.h ;;
    libgif-dev) header gif_lib.h ;;
    libopenjp2-7-dev) header openjpeg.h ;;
    libfreetype-dev) header freetype2/ft2build.h ;;
    libpcre2-dev) header pcre2.h ;;
    libutf8proc-dev) header utf8proc.h ;;
    libcmocka-dev) header cmocka.h ;;
    *) return 1 ;;
    esac
}

header() {
    [ -f "/usr/include/$1" ] || [ -f "/usr/local/include/$1" ] || [ -n "$(find /usr/include -maxdepth 2 -name "$1" 2>/dev/null | head -1)" ]
}

list=$build
[ "$what" = test ] && list="$build $test"
missing=
for package in $list; do
    have "$package" || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

root=
[ "$(id -u)" = 0 ] || root=sudo
if [ "${2:-}" != --install ]; then
    echo "uncork needs these packages:  $root apt-get install -y$missing" >&2
    exit 1
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "uncork needs what Debian calls$missing, and there is no apt-get here" >&2
    exit 1
fi
if [ -n "$root" ] && ! command -v sudo >/dev/null 2>&1; then
    echo "uncork needs$missing: run this as root or install sudo" >&2
    exit 1
fi
echo "installing:$missing"
log=$(mktemp)
if ! { $root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -5 "$log" >&2
    rm -f "$log"
    exit 1
fi
rm -f "$log"
