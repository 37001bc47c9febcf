#!/usr/bin/env bash
# Builds OUT/libcuda.so.1: the kernels of src/main/cuda for the CPU, and a driver that runs them.
#
#   ./build.sh OUT
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
kernels="$here/../../main/cuda"
out="$1"
mkdir -p "$out"
cd "$out"

compile() {
  g++ -std=c++17 -O1 -fPIC -Wall -Wno-unknown-pragmas -Wno-maybe-uninitialized -ffp-contract=off "$@"
}

objects=()
for source in "$kernels"/*.cu "$here"/*.cpp; do
  object="$(basename "$source").o"
  case "$source" in
    *.cu) compile -x c++ -I"$kernels" -include "$here/emulation.h" -c "$source" -o "$object" & ;;
    *) compile -I"$here" -c "$source" -o "$object" & ;;
  esac
  objects+=("$object")
done
for job in $(jobs -p); do
  wait "$job"
done
# under the driver's name, so that whoever asks for the driver finds it, once it is loaded
g++ -shared -Wl,-soname,libcuda.so.1 -o libcuda.so.1 "${objects[@]}"
