//! Compares the root of `docs/public-api.txt` with the exports of `src/lib.rs`. A nightly tool writes
//! the listing (`docs/verification.md`); this test does not need the tool.

use std::collections::BTreeSet;
use std::fs;

fn is_part_of_a_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The exports of `src/lib.rs` that are not hidden.
fn exported() -> BTreeSet<String> {
    let text = fs::read_to_string("src/lib.rs").unwrap();
    let (_, exports) = text.split_once("\npub use ").unwrap();
    let (exports, _hidden) = exports.split_once("#[doc(hidden)]").unwrap();
    let names = exports.split("pub use ").flat_map(|export| {
        let (path, _rest) = export.split_once(';').unwrap();
        path.rsplit("::").next().unwrap().split(|c| !is_part_of_a_name(c))
    });
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The items at the root of the crate, by the listing.
fn listed() -> BTreeSet<String> {
    let text = fs::read_to_string("docs/public-api.txt").unwrap();
    let at_the_root = |line: &str| {
        let (kind, path) = line.split_once(" livedrop::")?;
        let name: String = path.chars().take_while(|&c| is_part_of_a_name(c)).collect();
        let is_item = ["use", "enum", "fn", "struct", "trait", "type"]
            .iter()
            .any(|item| kind.ends_with(&format!("pub {item}")));
        let is_method = kind.ends_with("fn") && name.starts_with(char::is_uppercase);
        let is_member = is_method || path[name.len()..].starts_with("::");
        (is_item && !is_member).then_some(name)
    };
    text.lines().filter_map(at_the_root).collect()
}

#[test]
fn the_listing_has_exactly_the_crates_exports() {
    assert_eq!(exported(), listed());
}
