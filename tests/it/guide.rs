//! Checks the references in the guide: the tests, examples and compile-fail tests that it names exist,
//! and the FAQ names every test of `tests/pain_points.rs`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

#[test]
fn the_faq_names_every_test_and_no_other() {
    let tests = read("tests/pain_points.rs");
    let tests: BTreeSet<&str> = tests
        .lines()
        .filter_map(|line| line.split_once("fn p")?.1.split_once("()"))
        .map(|(name, _)| name)
        .filter(|name| name.starts_with(|first: char| first.is_ascii_digit()))
        .collect();
    let table = read("src/guide/faq.md");
    let named: BTreeSet<&str> = table
        .lines()
        .filter(|line| line.starts_with("| P"))
        .map(|row| {
            let test = row.rsplit_once("| [`p").expect("a row ends with a link to its test").1;
            test.strip_suffix("`](../../tests/pain_points.rs) |").expect("the link names the file")
        })
        .collect();
    assert_eq!(named, tests);
    assert_eq!(named.len(), 21);
}

#[test]
fn the_examples_that_the_faq_links_exist() {
    let table = read("src/guide/faq.md");
    let rows = table.lines().filter(|line| line.starts_with("| P"));
    let mut with_example = Vec::new();
    for row in rows {
        for link in row.split("](../../examples/").skip(1) {
            let file = link.split_once(')').expect("a link ends with a bracket").0;
            assert!(Path::new("examples").join(file).exists(), "{file}");
            with_example.push(row.split(' ').nth(1).expect("a row begins with its id"));
        }
    }
    assert!(["P7", "P8", "P9"].iter().all(|id| with_example.contains(id)), "{with_example:?}");
}

#[test]
fn the_compile_fail_tests_that_a_page_names_exist() {
    let mut found = 0;
    for page in fs::read_dir("src/guide").unwrap() {
        let page = page.unwrap().path();
        let text = read(&page);
        for link in text.split("](crate::guide::compile_fail#").collect::<Vec<_>>().windows(2) {
            let text = link[0].rsplit_once('[').expect("a link begins with its text").1;
            let section = link[1].split_once(')').expect("a link ends with a bracket").0;
            let Some((area, _)) = text.trim_matches('`').split_once('/') else { continue };
            assert_eq!(area, section, "{}: {text}", page.display());
            let entry = Path::new("compile-fail").join(text.trim_matches('`'));
            assert!(entry.with_extension("rs").exists(), "{}: {text}", page.display());
            found += 1;
        }
    }
    assert!(found >= 30, "{found} links");
}
