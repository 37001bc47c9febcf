#!/usr/bin/env bash
# Compiles src/main/cuda to the PTX that is committed as resources, and writes the manifest that ties them together.
#
#   ./build-ptx.sh [FOLDER [TARGET ..]]      into FOLDER instead of the resources, and for these targets only, to compare
#
# Needs nvcc 12.6 or newer; users and CI need none. NVCC names another one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

nvcc="${NVCC:-nvcc}"
sources=src/main/cuda
out="${1:-src/main/resources/io/prism/kernels/cuda}"
targets=("${@:2}")
[ "${#targets[@]}" -gt 0 ] || targets=(75 80 90)
manifest="$out/ptx-manifest.txt"

# nvcc states its own PTX version, which only drivers as new as itself load. The text needs no more than these:
# 7.0 loads with drivers from 450 on, 7.8, the first that knows sm_90, with drivers from 520 on.
version_for() {
  case "$1" in
    90) echo 7.8 ;;
    *) echo 7.0 ;;
  esac
}

# A source's hash covers the headers too.
hash_of_source() {
  cat "$sources"/*.cuh "$1" | sha256sum | cut -d' ' -f1
}

mkdir -p "$out"
new="$(mktemp)"
trap 'rm -f "$new"' EXIT
for source in "$sources"/*.cu; do
  name="$(basename "$source" .cu)"
  for target in "${targets[@]}"; do
    mkdir -p "$out/sm_$target"
    ptx="$out/sm_$target/$name.ptx"
    "$nvcc" --ptx -std=c++17 -arch="compute_$target" --diag-suppress 177 -o "$ptx" "$source"
    # comments hold the compiler's build, blank lines nothing
    sed -i -e "s/^\.version .*/.version $(version_for "$target")/" -e '/^\/\//d' -e '/^[[:space:]]*\/\//d' -e '/^$/d' "$ptx"
    echo "sm_$target/$name.ptx $(hash_of_source "$source") $(sha256sum "$ptx" | cut -d' ' -f1)" >>"$new"
  done
done
{
  echo "# Written by build-ptx.sh: PTX file, SHA-256 of its source with the headers, SHA-256 of the file."
  echo "# $("$nvcc" --version | grep release)"
  LC_ALL=C sort "$new"
} >"$manifest"
