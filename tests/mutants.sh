#!/usr/bin/env bash
# Mutation testing of `src/`, several times as fast as by `cargo mutants` alone: in a copy below
# `$TMPDIR` whose test files are modules of one test binary, so that a mutant links three binaries,
# and not thirty. Arguments go to cargo-mutants, `tests/mutants.sh --file src/batch.rs`; the results
# are in `target/mutants.out`. What is left out is in `.cargo/mutants.toml`.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
results=$PWD/target
mkdir -p "$results"

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | xargs -0 cp -P --parents -t "$copy"
cd "$copy"

# What a file takes for the root of its crate is a module now: its own, or that of its directory.
sed -i 's/crate::support/super::support/; s/^#\[macro_export\]$//' tests/support/*.rs
for directory in derive programs; do
  find "tests/$directory" -name '*.rs' -exec sed -i "s/\bcrate::/crate::$directory::/g" {} +
done
# Nobody reads the smallest program that a mutant fails.
sed -i 's/max_shrink_iters: 100_000/max_shrink_iters: 0/; s/= without_the_rest(program);/= (program, "");/' \
  tests/programs/main.rs

# The hook of the process and the subscribers of `tracing` are everyone's: these stay by themselves.
alone=(hook tracing)
tests=$(
  for file in tests/*.rs tests/*/main.rs; do
    name=${file#tests/}
    name=${name%/main.rs}
    name=${name%.rs}
    case $name in
      hook | tracing | compile_fail | examples | layout | model | model_reaper | public_api) ;;
      *) echo "#[path = \"${file#tests/}\"] mod $name;" ;;
    esac
  done
)
printf '//! All tests.\n%s\n' "$tests" >tests/merged.rs
# No other target is built.
sed -i 's/^edition = .*/&\nautotests = false\nautobenches = false\nautoexamples = false/
  /^\[\[bench\]\]/,/^$/d; /^\[\[example\]\]/,/^$/d' Cargo.toml
printf '\n[profile.dev]\ndebug = 0\n' >>Cargo.toml
arguments=(--cargo-arg=--lib)
for test in merged "${alone[@]}"; do
  printf '\n[[test]]\nname = "%s"\n' "$test" >>Cargo.toml
  arguments+=("--cargo-arg=--test=$test")
done

# A mutant may take memory or room on the disk without an end.
ulimit -v 8000000 -f 600000
cargo mutants --in-place --output "$results" --minimum-test-timeout 20 "${arguments[@]}" "$@"
