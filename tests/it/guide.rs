//! Checks the references in the guide: the tests, examples and compile-fail tests that it names exist,
//! the FAQ names every test of `tests/pain_points/`, and the pages show the types that their examples use.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

/// The sections of the FAQ: the number of the complaint, and the text after it.
fn faq() -> Vec<(String, String)> {
    let page = read("src/guide/faq.md");
    let sections = page.split("\n# P").skip(1);
    sections
        .map(|section| section.split_once(": ").expect("a heading begins with the id"))
        .map(|(number, text)| (number.to_owned(), text.to_owned()))
        .collect()
}

#[test]
fn the_faq_names_every_test_and_no_other() {
    let mut tests = BTreeSet::new();
    for file in fs::read_dir("tests/pain_points").unwrap() {
        let path = file.unwrap().path();
        for line in read(&path).lines() {
            let Some((name, _)) =
                line.split_once("fn p").and_then(|(_, name)| name.split_once("()"))
            else {
                continue;
            };
            if name.starts_with(|first: char| first.is_ascii_digit()) {
                let file = path.file_name().unwrap().to_str().unwrap();
                tests.insert(format!("[`p{name}`](../../tests/pain_points/{file})"));
            }
        }
    }
    let mut named = BTreeSet::new();
    for (number, text) in faq() {
        let (_, test) =
            text.split_once("\nTest: ").expect("a section ends with a link to its test");
        let test = test.trim();
        assert!(test.starts_with(&format!("[`p{number}_")), "P{number}: {test}");
        assert!(text.contains("```"), "P{number} has no code");
        named.insert(test.to_owned());
    }
    assert_eq!(named, tests);
    assert_eq!(named.len(), 32);
}

#[test]
fn the_examples_that_the_faq_links_exist() {
    let mut with_example = Vec::new();
    for (number, text) in faq() {
        for link in text.split("](../../examples/").skip(1) {
            let file = link.split_once(')').expect("a link ends with a bracket").0;
            assert!(Path::new("examples").join(file).exists(), "{file}");
            with_example.push(number.clone());
        }
    }
    for number in ["7", "8", "9"] {
        assert!(with_example.iter().any(|with| with == number), "{with_example:?}");
    }
}

#[test]
fn the_faq_shows_the_file_its_examples_include() {
    let file = read("src/guide/faq_example.rs");
    let (_comment, code) = file.split_once("\n\n").expect("the file begins with a comment");
    assert!(read("src/guide/faq.md").contains(&format!("```\n{code}```\n")));
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

/// The pages with examples, but for the FAQ, whose examples include a file.
const PAGES: [&str; 8] = [
    "cancellation",
    "gotchas",
    "helpers",
    "migrating",
    "patterns",
    "shutdown",
    "strict",
    "testing",
];

/// rustdoc does not show the lines that begin with `# `. A reader must find each item that such a line
/// defines in another block of the page, in the same words.
#[test]
fn a_page_shows_the_items_that_its_examples_hide() {
    let keywords =
        ["struct ", "enum ", "trait ", "impl ", "impl<", "mod ", "type ", "static ", "fn "];
    for page in PAGES {
        let text = read(format!("src/guide/{page}.md"));
        let (mut shown, mut hidden) = (BTreeSet::new(), BTreeSet::new());
        let blocks = text.split("```").skip(1).step_by(2);
        for line in blocks.flat_map(str::lines).map(str::trim) {
            match line.strip_prefix("# ").map(str::trim) {
                Some(line) => hidden.insert(line),
                None => shown.insert(line),
            };
        }
        for line in hidden.difference(&shown) {
            let item = line.trim_start_matches("pub ").trim_start_matches("async ");
            let is_scaffold = ["fn main()", "fn f()", "mod service {"]
                .iter()
                .any(|start| item.starts_with(start));
            let is_item = keywords.iter().any(|keyword| item.starts_with(keyword));
            assert!(is_scaffold || !is_item, "{page} shows no `{line}`");
        }
    }
}
