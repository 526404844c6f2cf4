//! Short type names for messages.

/// Returns the name of `T` without paths: `Conn<String>` for
/// `app::db::Conn<alloc::string::String>`.
pub(crate) fn of<T: ?Sized>() -> String {
    shorten(std::any::type_name::<T>())
}

/// Reduces every path in `full` to its last segment.
fn shorten(full: &str) -> String {
    let mut short = String::with_capacity(full.len());
    // The index in `short` at which the current path starts.
    let mut path = 0;
    let mut rest = full;
    while let Some(next) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("::") {
            // A closure and an associated type mean nothing alone: keep the segment before them.
            let is_closure = after.starts_with("{{") && !after.starts_with("{{closure}}::");
            if is_closure || short.ends_with('>') {
                short.push_str("::");
            } else {
                short.truncate(path);
            }
            rest = after;
        } else {
            short.push(next);
            if !(next.is_alphanumeric() || matches!(next, '_' | '{' | '}' | '#')) {
                path = short.len();
            }
            rest = &rest[next.len_utf8()..];
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::shorten;

    #[test]
    fn paths_are_cut_to_their_last_segment() {
        for (full, short) in [
            ("u8", "u8"),
            ("app::db::Conn", "Conn"),
            ("app::Conn<alloc::string::String>", "Conn<String>"),
            ("(a::B, &mut [c::d::E; 3])", "(B, &mut [E; 3])"),
            (
                "alloc::boxed::Box<dyn a::AsyncDrop<Error = std::io::Error> + core::marker::Send>",
                "Box<dyn AsyncDrop<Error = Error> + Send>",
            ),
            ("fn(a::B) -> c::D", "fn(B) -> D"),
            ("app::main::{{closure}}::Conn", "Conn"),
            ("a::Deferred<b::Pool, app::main::{{closure}}>", "Deferred<Pool, main::{{closure}}>"),
            ("a::run::{{closure}}::{{closure}}", "{{closure}}::{{closure}}"),
            ("<a::B as c::Trait>::Item", "<B as Trait>::Item"),
            ("größe::Maß", "Maß"),
        ] {
            assert_eq!(shorten(full), short, "{full}");
        }
    }
}
