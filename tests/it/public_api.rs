//! `docs/public-api.txt` lists the public interface. A nightly tool writes it (`CONTRIBUTING.md`);
//! what can be seen without that tool is compared here.

use std::collections::BTreeSet;
use std::fs;

fn is_part_of_a_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// What `src/lib.rs` exports, but for what is hidden.
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

/// What stands at the root of the crate, by the listing.
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
fn the_listing_has_what_the_crate_exports_and_no_more() {
    assert_eq!(exported(), listed());
}
