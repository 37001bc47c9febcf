#!/usr/bin/env bash
# Proves the CUDA kernels on this machine's GPU, in one call.
#
#   kernels/cuda/gpu-proof.sh                      everything; builds first where that was not done
#   kernels/cuda/gpu-proof.sh build                only builds what a run needs, for a machine without network
#
# 1. every kernel against plain loops, and whole rounds against the reference's trees
# 2. the same under compute-sanitizer's memcheck and racecheck, where it is installed (PATH, or /usr/local/cuda/bin)
# 3. rounds of 6 x 10 and 6 x 4 at the shape of LLaMA-3-8B's drafter against their floor, with and without the graph,
#    and every kernel by itself
# 4. 'prism bench' of the bundled model and drafter on CUDA and on the Vector API, end to end: trees are the same where rounds and
#    acceptance by step are, ties apart
#
# A run needs an NVIDIA driver, a JDK 25 and this folder; it uses no nvcc and no network once it is built: the built
# parts are kernels/cuda/target and adapters/distribution/target.
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
module="$home/kernels/cuda"
lib="$module/target/gpu-proof"
cd "$home"
. .mvn/find-jdk.sh
prism_find_jdk || exit 1

build() {
  echo "Building ..."
  ./mvnw -q -B package dependency:copy-dependencies -pl kernels/cuda -am -DskipTests -Dspotless.check.skip=true \
    -DincludeScope=test -DoutputDirectory="$lib"
  ./prism flags >/dev/null
}

case "${1-}" in
  "") ;;
  build) build && exit 0 ;;
  *) echo "usage: $0 [build]" >&2 && exit 2 ;;
esac
[ -d "$lib" ] && [ -d "$module/target/test-classes" ] || build

java=("$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED -Xmx8g
  -cp "$module/target/classes:$module/target/test-classes:$lib/*" io.prism.kernels.cuda.GpuProof)
status=0
part() {
  echo
  echo "== $1"
  shift
  "$@" || status=1
}

if command -v nvidia-smi >/dev/null; then nvidia-smi --query-gpu=name,driver_version,compute_cap,memory.total --format=csv,noheader; fi
part "correctness" "${java[@]}" correctness
sanitizer="$(PATH="$PATH:/usr/local/cuda/bin" command -v compute-sanitizer || true)"
if [ -n "$sanitizer" ]; then
  part "memcheck" "$sanitizer" --tool memcheck --error-exitcode 9 "${java[@]}" correctness
  part "racecheck" "$sanitizer" --tool racecheck --error-exitcode 9 "${java[@]}" correctness
else
  echo "compute-sanitizer is not installed: memcheck and racecheck are left out"
fi
part "speed" "${java[@]}" speed

suite="$(mktemp -d)"
trap 'rm -rf "$suite"' EXIT
printf '%s\n' '{"question_id": 1, "turns": ["What do snakes eat?"]}' '{"question_id": 2, "turns": ["Where do snakes live?"]}' \
  >"$suite/snakes.jsonl"
for kernels in cuda vector; do
  part "prism bench, $kernels" ./prism bench --model integration-tests/models/llama-snakes-6m \
    --drafter integration-tests/models/llama-snakes-6m/prism --tree 6,4,16 --suite "$suite" --kernels "$kernels" \
    --json "$suite/$kernels.json"
  grep -oE '"(rounds|acceptanceByStep)" *: *(\[[^]]*\]|[0-9]+)' "$suite/$kernels.json" | tr -d ' ' >"$suite/$kernels.rounds" || true
done
part "rounds and acceptance by step, cuda against vector" diff "$suite/cuda.rounds" "$suite/vector.rounds"
echo
[ "$status" -eq 0 ] && echo "PROVED" || echo "NOT PROVED: see above"
exit "$status"
