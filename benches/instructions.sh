#!/usr/bin/env bash
# Counts instructions, prints a table of the operations, and fails if a bound does not hold. Needs
# valgrind. The version of gungraun's runner must be the version of the gungraun library.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(cargo pkgid gungraun | sed 's/.*[@#]//')
if [ "$(gungraun-runner --version 2>/dev/null)" != "gungraun-runner $version" ]; then
  cargo install --locked gungraun-runner --version "$version"
fi
# The counts are read from below `target`.
unset GUNGRAUN_HOME
cargo bench -p livedrop-benches --bench instructions
