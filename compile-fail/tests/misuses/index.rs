//! Generates the tables in `README.md`, the index of all misuses, from the heads of the files and
//! the snapshots. `UPDATE_SNAPSHOTS=1` writes the index.

use std::fmt::Write;
use std::fs;

use crate::files::{Misuse, areas, misuses};

/// Separates the part of the index that is written by hand from the generated part.
const GENERATED: &str = "<!-- Generated: `UPDATE_SNAPSHOTS=1 cargo test -p livedrop-compile-fail` writes all that follows. -->\n";

#[test]
fn the_index_is_generated_from_the_heads() {
    let index = fs::read_to_string("README.md").unwrap();
    let (by_hand, tables) = index.split_once(GENERATED).expect("the index has a generated part");
    let expected = generate(&rules(by_hand), tables);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write("README.md", format!("{by_hand}{GENERATED}{expected}")).unwrap();
    } else {
        let difference = expected.lines().zip(tables.lines()).find(|(now, index)| now != index);
        assert!(
            tables == expected,
            "the index differs from the heads, first at {difference:?}: \
             `UPDATE_SNAPSHOTS=1 cargo test -p livedrop-compile-fail` writes it"
        );
    }
}

/// Returns the rules in their order: the bold beginnings of list entries.
fn rules(by_hand: &str) -> Vec<&str> {
    by_hand.lines().filter_map(|line| line.strip_prefix("- **")?.split("**").next()).collect()
}

/// Generates a table for each area: first the areas in the order of the existing index, then new ones.
fn generate(rules: &[&str], index: &str) -> String {
    let mut areas = areas();
    let heading = |area: &String| index.find(&format!("\n## `{area}`\n")).unwrap_or(usize::MAX);
    areas.sort_by_key(heading);

    let mut tables = String::new();
    for area in areas {
        let mut rows: Vec<(usize, String)> = misuses()
            .iter()
            .filter(|misuse| misuse.area == area)
            .map(|misuse| {
                let rule = misuse.head("//! Rule: ");
                let place = rules.iter().position(|known| *known == rule);
                let place = place.unwrap_or_else(|| panic!("{misuse}: {rule:?} is not a rule"));
                (place, row(misuse))
            })
            .collect();
        rows.sort_by_key(|(rule, _)| *rule);

        write!(tables, "\n## `{area}`\n\n").unwrap();
        tables.push_str("| the mistake | the compiler's first line | the fix | the rule |\n");
        tables.push_str("|---|---|---|---|\n");
        tables.extend(rows.into_iter().map(|(_, row)| row));
    }
    tables
}

fn row(misuse: &Misuse) -> String {
    let message = misuse.message();
    let cells = [
        format!("[{}]({})", misuse.mistake().0, misuse.path().display()),
        if message.contains('`') { format!("`` {message} ``") } else { format!("`{message}`") },
        misuse.head("//! Fix: ").to_owned(),
        misuse.head("//! Rule: ").to_owned(),
    ];
    let cells = cells.map(|cell| cell.replace('|', "\\|"));
    format!("| {} |\n", cells.join(" | "))
}
