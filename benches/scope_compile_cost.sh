#!/usr/bin/env bash
# Prints a table of the compiler's processor time for programs with a scope, in milliseconds: with the
# macro `scope!`, and with the function `scope` and the same body. Both are checked, not linked, and the
# table has the least time of the runs (9, or the first argument). The runs alternate, so that other
# programs disturb both in the same way.
#
# The bodies: one statement; 1,500 statements; 100 with a `?` in a string; and seven nested scopes of 10 and of 200
# statements each.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
runs=${1:-9}
user=$(mktemp -d)
trap 'rm -rf "$user"' EXIT
mkdir "$user/src"

cat >"$user/Cargo.toml" <<END
[package]
name = "user"
edition = "2024"
[dependencies]
livedrop = { path = "$root", default-features = false }
async-trait = "*"
END
cp "$root/Cargo.lock" "$user/Cargo.lock"
touch "$user/src/lib.rs"

# Builds the dependencies, and keeps the compiler's arguments that name them.
(cd "$user" && CARGO_TARGET_DIR=$user/target cargo check --offline --verbose 2>"$user/log") ||
  { cat "$user/log" >&2; exit 1; }
externs=$(grep -- '--crate-name user ' "$user/log" | grep -o -- '\(-L dependency\|--extern [a-z_]*\)=[^ `]*')

# statements KIND NUMBER GUARD
statements() {
  local n
  for ((n = 1; n <= $2; n++)); do
    case $1 in
      calls) echo "x = $3.run(\"update numbers set n = n + $n\", &[x, $n]) ^ (x >> 3);" ;;
      variables) echo "let x = $3.run(\"update numbers set n = n + $n\", &[x, $n]) ^ (x >> 3);" ;;
      sums) echo "x = x.wrapping_add($n);" ;;
    esac
  done
}

begin() {
  cat <<'END'
#![allow(warnings)]
use livedrop::{AsyncDrop, AsyncDropGuard};
pub struct Connection;
impl Connection {
    pub fn run(&mut self, sql: &str, arguments: &[u64]) -> u64 { sql.len() as u64 + arguments[0] }
}
#[async_trait::async_trait]
impl AsyncDrop for Connection {
    type Error = std::io::Error;
    async fn async_drop_impl(&mut self) -> Result<(), Self::Error> { Ok(()) }
}
pub async fn run(mut x: u64) -> u64 {
END
}

# scopes NAME DEPTH KIND NUMBER LINE: DEPTH nested scopes, each of LINE and NUMBER statements
scopes() {
  local name=$1 depth=$2 level
  begin
  for ((level = 1; level <= depth; level++)); do
    echo "livedrop::$name(AsyncDropGuard::live(Connection), async |mut c$level| {"
    echo "c$level.run(\"\", &[x]); let mut x = x; $5"
    statements "$3" "$4" "c$level"
    if ((level < depth)); then echo 'x ='; fi
  done
  for ((level = depth; level >= 1; level--)); do
    echo "(c$level.async_drop().await.proof, x) }).await"
    if ((level > 1)); then echo ';'; fi
  done
  echo '}'
}

# milliseconds FILE
milliseconds() {
  TIMEFORMAT='%3U %3S'
  # shellcheck disable=SC2086
  { time rustc --edition 2024 --crate-type lib --emit metadata --out-dir "$user" $externs "$1" 2>"$user/log"; } \
    2>"$user/time" || { cat "$user/log" >&2; exit 1; }
  awk '{ printf "%d", 1000 * ($1 + $2) }' "$user/time"
}

least() { awk -v a="${1:-$2}" -v b="$2" 'BEGIN { print (b < a ? b : a) }'; }

# row TITLE DEPTH KIND NUMBER LINE
row() {
  local macro= function= run took
  scopes 'scope!' "$2" "$3" "$4" "$5" >"$user/with_macro.rs"
  scopes 'scope' "$2" "$3" "$4" "$5" >"$user/with_function.rs"
  for ((run = 0; run < runs; run++)); do
    took=$(milliseconds "$user/with_macro.rs")
    macro=$(least "$macro" "$took")
    took=$(milliseconds "$user/with_function.rs")
    function=$(least "$function" "$took")
  done
  awk -v title="$1" -v m="$macro" -v f="$function" \
    'BEGIN { printf "| %s | %d | %d | %.2f |\n", title, m, f, m / f }'
}

echo '| body | `scope!`, ms | `scope`, ms | ratio |'
echo '|---|---|---|---|'
row 'one statement' 1 calls 1 ''
row '1,500 calls' 1 calls 1500 ''
row '1,500 variables' 1 variables 1500 ''
row '1,500 sums' 1 sums 1500 ''
row '100 sums, `?` in a string' 1 sums 100 'c1.run("delete from numbers where n = ?", &[x]);'
row 'seven nested scopes, 10 sums each' 7 sums 10 ''
row 'seven nested scopes, 200 calls each' 7 calls 200 ''
row 'seven nested scopes, 200 sums each' 7 sums 200 ''
