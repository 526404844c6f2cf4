//! Searches the body of a `scope!` for a `?`, while the user's crate compiles.
//!
//! `stringify!` returns the tokens of the body as one string, and the compiler evaluates a `const fn` on it. A
//! macro that visits each token takes several times longer (`benches/scope_compile_cost.sh`).

/// The longest text that is searched, in bytes: about 1,800 lines.
const LONGEST: usize = 128 * 1024;

/// Whether `body`, as `stringify!` returns it, has a `?` and no `return`.
///
/// Literals and comments do not count: an SQL text may have a `?`.
#[doc(hidden)]
#[must_use]
pub const fn leaves_by_try(body: &str) -> bool {
    let body = body.as_bytes();
    // Most bodies have no `?` at all, and this search is faster than the next one.
    // The compiler rejects a constant that takes long, so a `?` in a longer text gets the compiler's own message.
    if body.len() > LONGEST || !has_question_mark(body) {
        return false;
    }
    let mut has_try = false;
    let mut at = 0;
    while at < body.len() {
        at = match body[at] {
            b'"' => after_string(body, at),
            b'\'' => after_quote(body, at),
            b'/' => after_slash(body, at),
            b'?' => {
                has_try = true;
                at + 1
            }
            byte if is_of_word(byte) => {
                let end = after_word(body, at);
                if is_return(body, at, end) {
                    return false;
                }
                end
            }
            _ => at + 1,
        };
    }
    has_try
}

/// Takes sixteen bytes in each step, without a call: the compiler interprets this code, where each call and
/// each step of a loop costs more than a comparison.
const fn has_question_mark(mut text: &[u8]) -> bool {
    macro_rules! any_of {
        ($($byte:ident)+) => {
            while let [$($byte,)+ rest @ ..] = text {
                if $((*$byte == b'?'))|+ {
                    return true;
                }
                text = rest;
            }
        };
    }
    any_of!(a b c d e f g h i j k l m n o p);
    any_of!(a);
    false
}

const fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

const fn after_word(text: &[u8], mut at: usize) -> usize {
    while at < text.len() && is_of_word(text[at]) {
        at += 1;
    }
    at
}

const fn is_return(text: &[u8], start: usize, end: usize) -> bool {
    let word = b"return";
    if end - start != word.len() {
        return false;
    }
    let mut at = 0;
    while at < word.len() {
        if text[start + at] != word[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// The end of the string literal whose first quote is at `quote`. It is raw if it begins with `r"` or `r#"`.
const fn after_string(text: &[u8], quote: usize) -> usize {
    let mut hashes = 0;
    while hashes < quote && text[quote - 1 - hashes] == b'#' {
        hashes += 1;
    }
    let raw = hashes < quote && text[quote - 1 - hashes] == b'r';
    let mut at = quote + 1;
    while at < text.len() {
        if text[at] == b'\\' && !raw {
            at += 2;
        } else if text[at] == b'"' && (!raw || has_hashes(text, at + 1, hashes)) {
            return at + 1;
        } else {
            at += 1;
        }
    }
    at
}

const fn has_hashes(text: &[u8], at: usize, hashes: usize) -> bool {
    let mut found = 0;
    while found < hashes && at + found < text.len() && text[at + found] == b'#' {
        found += 1;
    }
    found == hashes
}

/// The end of the character literal that begins at `quote`, or of the quote alone if it begins a lifetime.
const fn after_quote(text: &[u8], quote: usize) -> usize {
    let start = quote + 1;
    if start < text.len() && text[start] == b'\\' {
        // The escaped character may itself be a quote.
        let mut end = start + 2;
        while end < text.len() && text[end] != b'\'' {
            end += 1;
        }
        return end + 1;
    }
    let mut end = start + 1;
    while end < text.len() && is_continuation(text[end]) {
        end += 1;
    }
    if end < text.len() && text[end] == b'\'' { end + 1 } else { start }
}

/// Whether this is a later byte of a character in UTF-8.
const fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// The end of the comment that begins at `slash`, or of the slash alone. `stringify!` writes doc comments.
const fn after_slash(text: &[u8], slash: usize) -> usize {
    let mut at = slash + 1;
    if at == text.len() {
        return at;
    }
    if text[at] == b'/' {
        while at < text.len() && text[at] != b'\n' {
            at += 1;
        }
        return at;
    }
    if text[at] != b'*' {
        return at;
    }
    at += 1;
    // Block comments nest.
    let mut depth = 1;
    while depth > 0 && at + 1 < text.len() {
        match (text[at], text[at + 1]) {
            (b'*', b'/') => {
                depth -= 1;
                at += 2;
            }
            (b'/', b'*') => {
                depth += 1;
                at += 2;
            }
            _ => at += 1,
        }
    }
    at
}
