//! Searches the body of a `scope!` for a `?`, while the user's crate compiles.
//!
//! `stringify!` returns the tokens of the body as one string, and the compiler evaluates a `const fn` on it. A
//! macro that visits each token takes several times longer (`benches/scope_compile_cost.sh`).

/// The longest text that is searched, in bytes: about 1,800 lines.
const LONGEST: usize = 128 * 1024;

/// The text from the first byte that is a `$stop`. Empty if there is none.
///
/// The compiler interprets this code, where a step of a loop and a call cost more than a comparison. A literal in
/// a slice pattern is the cheapest comparison: one instruction for a byte. So this takes 16 bytes in each step.
macro_rules! skip_to {
    ($text:expr, $stop:pat) => {{
        let mut text: &[u8] = $text;
        loop {
            text = match text {
                [$stop, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, ..] => break after(text, 0),
                [_, $stop, _, _, _, _, _, _, _, _, _, _, _, _, _, _, ..] => break after(text, 1),
                [_, _, $stop, _, _, _, _, _, _, _, _, _, _, _, _, _, ..] => break after(text, 2),
                [_, _, _, $stop, _, _, _, _, _, _, _, _, _, _, _, _, ..] => break after(text, 3),
                [_, _, _, _, $stop, _, _, _, _, _, _, _, _, _, _, _, ..] => break after(text, 4),
                [_, _, _, _, _, $stop, _, _, _, _, _, _, _, _, _, _, ..] => break after(text, 5),
                [_, _, _, _, _, _, $stop, _, _, _, _, _, _, _, _, _, ..] => break after(text, 6),
                [_, _, _, _, _, _, _, $stop, _, _, _, _, _, _, _, _, ..] => break after(text, 7),
                [_, _, _, _, _, _, _, _, $stop, _, _, _, _, _, _, _, ..] => break after(text, 8),
                [_, _, _, _, _, _, _, _, _, $stop, _, _, _, _, _, _, ..] => break after(text, 9),
                [_, _, _, _, _, _, _, _, _, _, $stop, _, _, _, _, _, ..] => break after(text, 10),
                [_, _, _, _, _, _, _, _, _, _, _, $stop, _, _, _, _, ..] => break after(text, 11),
                [_, _, _, _, _, _, _, _, _, _, _, _, $stop, _, _, _, ..] => break after(text, 12),
                [_, _, _, _, _, _, _, _, _, _, _, _, _, $stop, _, _, ..] => break after(text, 13),
                [_, _, _, _, _, _, _, _, _, _, _, _, _, _, $stop, _, ..] => break after(text, 14),
                [_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, $stop, ..] => break after(text, 15),
                [_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, rest @ ..] => rest,
                [] | [$stop, ..] => break text,
                [_, rest @ ..] => rest,
            };
        }
    }};
}

/// Whether `body`, as `stringify!` returns it, has a `?` and no `return`.
///
/// Literals and comments do not count: an SQL text may have a `?`.
#[doc(hidden)]
#[must_use]
pub const fn leaves_by_try(body: &str) -> bool {
    let body = body.as_bytes();
    // Most bodies have no `?` at all, and this search is faster than the next one.
    // The compiler rejects a constant that takes long, so a `?` in a longer text gets the compiler's own message.
    if body.len() > LONGEST || skip_to!(body, b'?').is_empty() {
        return false;
    }
    let mut has_try = false;
    let mut text = body;
    loop {
        text = skip_to!(text, b'"' | b'\'' | b'/' | b'?' | b'r');
        text = match text {
            [] => return has_try,
            [b'"', rest @ ..] => after_string(rest),
            [b'\'', rest @ ..] => after_quote(rest),
            [b'/', b'/', rest @ ..] => skip_to!(rest, b'\n'),
            [b'/', b'*', rest @ ..] => after_block_comment(rest),
            [b'?', rest @ ..] => {
                has_try = true;
                rest
            }
            [b'r', b'e', b't', b'u', b'r', b'n', rest @ ..] => {
                let before = body.len() - text.len();
                let is_end_of_word = before > 0 && is_of_word(body[before - 1]);
                if is_end_of_word || begins_with_word(rest) {
                    rest
                } else {
                    return false;
                }
            }
            [b'r', rest @ ..] => after_raw_string(rest),
            [_, rest @ ..] => rest,
        };
    }
}

const fn after(text: &[u8], count: usize) -> &[u8] {
    text.split_at(count).1
}

const fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

const fn begins_with_word(text: &[u8]) -> bool {
    matches!(text, [first, ..] if is_of_word(*first))
}

/// The text after the string literal. `text` begins after its first quote.
const fn after_string(mut text: &[u8]) -> &[u8] {
    loop {
        text = match skip_to!(text, b'"' | b'\\') {
            [b'\\', _, rest @ ..] => rest,
            [_, rest @ ..] => return rest,
            [] => return &[],
        };
    }
}

/// The text after the raw string literal, or the same text if there is none. `text` begins after an `r`.
const fn after_raw_string(text: &[u8]) -> &[u8] {
    let mut hashes = 0;
    let mut rest = text;
    while let [b'#', tail @ ..] = rest {
        hashes += 1;
        rest = tail;
    }
    // An `r#` without a quote begins a raw identifier.
    let [b'"', tail @ ..] = rest else { return text };
    rest = tail;
    while let [_, tail @ ..] = skip_to!(rest, b'"') {
        rest = tail;
        let mut found = 0;
        while found < hashes && found < rest.len() && rest[found] == b'#' {
            found += 1;
        }
        if found == hashes {
            return after(rest, hashes);
        }
    }
    &[]
}

/// The text after the character literal, or the same text if there is a lifetime. `text` begins after the quote.
const fn after_quote(text: &[u8]) -> &[u8] {
    if let [b'\\', _, rest @ ..] = text {
        // The escaped character may itself be a quote.
        return match skip_to!(rest, b'\'') {
            [_, rest @ ..] => rest,
            [] => &[],
        };
    }
    let mut end = 1;
    while end < text.len() && is_continuation(text[end]) {
        end += 1;
    }
    if end < text.len() && text[end] == b'\'' { after(text, end + 1) } else { text }
}

/// Whether this is a later byte of a character in UTF-8.
const fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// The text after the block comment. `text` begins inside it. `stringify!` writes doc comments.
const fn after_block_comment(mut text: &[u8]) -> &[u8] {
    // Block comments nest.
    let mut depth = 1;
    while depth > 0 {
        text = match text {
            [b'*', b'/', rest @ ..] => {
                depth -= 1;
                rest
            }
            [b'/', b'*', rest @ ..] => {
                depth += 1;
                rest
            }
            [_, rest @ ..] => rest,
            [] => return text,
        };
    }
    text
}
