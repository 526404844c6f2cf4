#!/usr/bin/env bash
# Prints a table of the cost of a clean build of the library with each feature, and of the published
# peer: the number of crates, and the least processor time of three builds, in seconds. Processor
# time depends less on other programs than wall time.
#
# Each is built as the only dependency of an empty crate, in the versions of this repository's lock
# file, so that features of the dev-dependencies do not count.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
user=$(mktemp -d)
trap 'rm -rf "$user"' EXIT
mkdir "$user/src"
touch "$user/src/lib.rs"

# depends_on NAME SPECIFICATION
depends_on() {
  cat >"$user/Cargo.toml" <<END
[package]
name = "user"
edition = "2024"
[dependencies]
$1 = { $2 }
END
  cp "$root/Cargo.lock" "$user/Cargo.lock"
}

seconds() {
  local least= took
  for _ in 1 2 3; do
    rm -rf "$user/target"
    took=$(
      TIMEFORMAT='%U %S'
      { time (cd "$user" && CARGO_TARGET_DIR=$user/target cargo build --quiet --offline >&2); } 2>&1 |
        awk 'END { printf "%.2f", $1 + $2 }'
    )
    least=$(awk -v a="${least:-$took}" -v b="$took" 'BEGIN { print (b < a ? b : a) }')
  done
  echo "$least"
}

# The empty crate does not count.
crates() {
  (cd "$user" && cargo tree --offline --edges normal,build --prefix none) |
    awk '$1 != "user" && !seen[$1, $2]++ { crates++ } END { print crates }'
}

row() {
  depends_on "$2" "$3"
  echo "| $1 | $(crates) | $(seconds) |"
}

version() { cargo pkgid "$1" | sed 's/.*[@#]//'; }

echo '| features | crates | seconds |'
echo '|---|---|---|'
row 'no features' livedrop "path = '$root', default-features = false"
features=$(sed -n '/^\[features\]/,/^\[/s/^\([a-z]*\) = .*/\1/p' Cargo.toml | grep -v '^default$')
for feature in $features; do
  row "\`$feature\`" livedrop "path = '$root', default-features = false, features = ['$feature']"
done
all=$(echo "$features" | sed "s/.*/'&'/" | paste --serial --delimiters=,)
row 'all features' livedrop "path = '$root', features = [$all]"
peer=$(version async-drop-guard)
row "\`async-drop-guard\` $peer" async-drop-guard "version = '=$peer'"
