#!/usr/bin/env bash
# What the feature `derive` adds to a clean build: crates, and seconds of processor time, the least
# of three builds. Processor time, since that of the clock depends on what else runs.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds() {
  local least= folder took
  for _ in 1 2 3; do
    folder=$(mktemp -d)
    took=$(
      TIMEFORMAT='%U %S'
      { time CARGO_TARGET_DIR=$folder cargo build --quiet --offline --lib "$@" >&2; } 2>&1 |
        awk 'END { printf "%.2f", $1 + $2 }'
    )
    rm -rf "$folder"
    if [ -z "$least" ]; then least=$took; fi
    least=$(awk -v a="$least" -v b="$took" 'BEGIN { print (b < a ? b : a) }')
  done
  echo "$least"
}

crates() { cargo tree --offline --edges normal,build --prefix none "$@" | sed 's/ .*//' | sort -u | wc -l; }

rustc --version
for features in --no-default-features --features=derive; do
  echo "$features: $(crates -p livedrop "$features") crates, $(seconds "$features") s"
done
