//! Searches the body of a `scope!` for a `?`, while the user's crate compiles.
//!
//! `stringify!` returns the tokens of the body as one string, and the compiler evaluates a `const fn` on it. A
//! macro that visits each token takes several times longer (`benches/scope_compile_cost.sh`).

/// The longest text that is searched, in bytes: about 100 lines.
///
/// A scope searches the text of its inner scopes again, so seven nested ones would search it seven times. A `?` in
/// a longer body gets the compiler's own message.
const LONGEST: usize = 4 * 1024;

/// The text from the first `$byte`. Empty if there is none.
///
/// The compiler interprets this code, where a step of a loop costs more than a comparison with a literal in a
/// slice pattern. So this takes eight bytes in each step.
macro_rules! find {
    ($text:expr, $byte:literal) => {{
        let mut text: &[u8] = $text;
        loop {
            text = match text {
                [] | [$byte, ..] => break text,
                [_, $byte, _, _, _, _, _, _, ..] => break text.split_at(1).1,
                [_, _, $byte, _, _, _, _, _, ..] => break text.split_at(2).1,
                [_, _, _, $byte, _, _, _, _, ..] => break text.split_at(3).1,
                [_, _, _, _, $byte, _, _, _, ..] => break text.split_at(4).1,
                [_, _, _, _, _, $byte, _, _, ..] => break text.split_at(5).1,
                [_, _, _, _, _, _, $byte, _, ..] => break text.split_at(6).1,
                [_, _, _, _, _, _, _, $byte, ..] => break text.split_at(7).1,
                [_, _, _, _, _, _, _, _, rest @ ..] | [_, rest @ ..] => rest,
            };
        }
    }};
}

/// Whether `body`, as `stringify!` returns it, has a `?` and no `return`.
///
/// Literals and comments count. A `?` in a string costs the body a `Result` around its end, and changes nothing
/// else. A `return` in a string hides a `?`, which then gets the compiler's own message.
#[doc(hidden)]
#[must_use]
pub const fn leaves_by_try(body: &str) -> bool {
    let body = body.as_bytes();
    if body.len() > LONGEST || find!(body, b'?').is_empty() {
        return false;
    }
    let mut text = body;
    loop {
        text = match find!(text, b'r') {
            [] => return true,
            [b'r', b'e', b't', b'u', b'r', b'n', ..] => return false,
            [_, rest @ ..] => rest,
        };
    }
}
