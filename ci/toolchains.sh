#!/usr/bin/env bash
# Checks the library on the oldest compiler that it supports and on one that is newer than the
# pinned one: it compiles with all features, the corrected programs run, the misuses are rejected.
#
# The compilers are Debian's packages. They are unpacked into a cache folder, not installed; cargo is
# the one of the pinned toolchain. Without `apt-get` this passes and checks nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

cache=${LIVEDROP_TOOLCHAINS:-$HOME/.cache/livedrop-toolchains}
target=${CARGO_TARGET_DIR:-target}/toolchains

if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
  echo "skipped: without apt-get and dpkg there is no other compiler to check with"
  exit 0
fi

# Prints Debian's version of the package of a compiler.
listed() {
  apt-cache madison rustc-web | awk -v version="$1" '!found && $3 ~ "^" version "[+]" { print $3; found = 1 }'
}

# Unpacks the packages of a compiler into a folder. Fails if Debian does not have them any more.
fetch() {
  local version=$1 llvm=$2 folder=$3 debian package
  debian=$(listed "$version")
  if [ -z "$debian" ]; then
    # The lists of a fresh machine are empty. Where this may not be done, the next line says enough.
    apt-get update --quiet >&2 || true
    debian=$(listed "$version")
  fi
  if [ -z "$debian" ]; then
    echo "Debian's package lists have no rustc-web $version" >&2
    return 1
  fi
  local packages=("rustc-web=$debian" "libstd-rust-web-dev=$debian" "libstd-rust-web-${version%.*}=$debian" "$llvm")
  rm -rf "$folder.part"
  mkdir -p "$folder.part/packages"
  (cd "$folder.part/packages" && apt-get download --quiet "${packages[@]}") || return 1
  for package in "$folder.part"/packages/*.deb; do
    dpkg --extract "$package" "$folder.part" || return 1
  done
  rm -r "$folder.part/packages"

  # Only this compiler looks for its libraries there, not the programs that it builds.
  cat >"$folder.part/rustc" <<'WRAPPER' || return 1
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
LD_LIBRARY_PATH=$(echo "$here"/usr/lib/*-linux-gnu):$(echo "$here"/usr/lib/llvm-*/lib)
export LD_LIBRARY_PATH
exec "$here/usr/bin/rustc" "$@"
WRAPPER
  chmod +x "$folder.part/rustc"
  rm -rf "$folder"
  mv "$folder.part" "$folder"
}

# Runs cargo with the compiler, each with a target folder of its own.
with() {
  local version=$1
  shift
  echo "== rustc $version: cargo $*"
  RUSTC=$cache/$version/rustc CARGO_TARGET_DIR=$target/$version cargo "$@"
}

for compiler in "1.85.0 libllvm19" "1.96.0 libllvm22"; do
  read -r version llvm <<<"$compiler"
  if ! [ -x "$cache/$version/rustc" ] && ! fetch "$version" "$llvm" "$cache/$version"; then
    echo "skipped: rustc $version is not to be had, so nothing was checked with it"
    continue
  fi
  "$cache/$version/rustc" --version

  with "$version" check --quiet -p livedrop -p livedrop-derive --lib --all-features
  with "$version" test --quiet -p livedrop-compile-fail --no-default-features
done
