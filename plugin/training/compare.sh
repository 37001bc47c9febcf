#!/usr/bin/env bash
# Trains every kind of drafter on the same answers, as many tokens and the same schedule, and compares them. Takes hours;
# after an interruption the same command goes on where it was.
#
#   plugin/training/compare.sh MODEL DATA SUITE OUT EPOCHS [option of prism train]...
#
#   MODEL   folder of the target                     SUITE   folder of prompts for prism bench
#   DATA    conversations, as for prism train        EPOCHS  passes over the answers; recipes of two stages spend a fifth of
#   OUT     receives everything                              them on the first
#
# Leaves in OUT: a folder for each drafter; validation.md, curves.png, scaling.png; bench.json, bench.txt.
set -euo pipefail

if [ $# -lt 5 ]; then
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2
  exit 2
fi
model="$1" data="$2" suite="$3" out="$4" epochs="$5"
shift 5
prism="$(cd "$(dirname "$0")/../.." && pwd)/prism"
shares="0.125 0.1875 0.25 0.5"
mkdir -p "$out"

part() { awk -v all="$epochs" -v parts="$1" 'BEGIN { printf "%.6g", all * parts }'; }

# NAME RECIPE [option]...: a run, unless it is done. The folder has a config.json when it is.
train() {
  local name="$1" recipe="$2" first="$epochs" second=0
  shift 2
  case "$recipe" in prism | prism-star) first="$(part 0.2)" second="$(part 0.8)" ;; esac
  [ -f "$out/$name/config.json" ] && return
  echo "compare: $name" >&2
  "$prism" train --model "$model" --data "$data" --cache "$out/cache" --capture-layers --out "$out/$name" \
    --recipe "$recipe" --epochs "$first" --epochs-2 "$second" "$@"
}

for recipe in prism hass eagle2 prism-star eagle3; do train "$recipe" "$recipe" "$@"; done
train prism-published-kv prism --kv published "$@"
train prism-3-modules prism --modules 3 "$@"
for share in $shares; do
  for recipe in prism hass eagle2; do train "$recipe-$share" "$recipe" --share "$share" "$@"; done
done

runs=()
for run in prism prism-star hass eagle2 eagle3 prism-published-kv prism-3-modules; do runs+=("$out/$run"); done
"$prism" train-curves "${runs[@]}" --plot "$out/curves.png" >"$out/validation.md"
sizes=()
for recipe in prism hass eagle2; do
  for share in $shares; do sizes+=("$out/$recipe-$share"); done
  sizes+=("$out/$recipe")
done
"$prism" train-curves "${sizes[@]}" --scaling "$out/scaling.png" >>"$out/validation.md"

drafters="ngram"
for run in "${runs[@]}"; do drafters="$drafters,$run"; done
[ -f "$out/bench.json" ] || "$prism" bench --model "$model" --suite "$suite" --stock none --drafter "$drafters" --temperature 0,1 \
  --tree "auto;6,4,16;6,10,60" --json "$out/bench.json" | tee "$out/bench.txt"
cat "$out/validation.md"
