//! The README: its code blocks are the code of these files, and do what the README says.

#[cfg(feature = "derive")]
mod first;
#[cfg(feature = "derive")]
mod levels;

use std::fs;

/// The lines of the fenced blocks of a language, without their indentation.
fn blocks(language: &str) -> Vec<Vec<String>> {
    let readme = fs::read_to_string("README.md").unwrap();
    let opening = format!("\n```{language}\n");
    let blocks = readme.split(&opening).skip(1);
    blocks.map(|block| trimmed(block.split_once("\n```").expect("a block ends").0)).collect()
}

fn trimmed(text: &str) -> Vec<String> {
    text.lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn every_code_block_is_tested_code() {
    let files = ["first", "levels"]
        .map(|name| trimmed(&fs::read_to_string(format!("tests/it/readme/{name}.rs")).unwrap()));
    let blocks = blocks("rust");
    assert_eq!(blocks.len(), 7);
    for block in blocks {
        let is_tested =
            files.iter().any(|file| file.windows(block.len()).any(|lines| lines == block));
        assert!(is_tested, "not in a file of `tests/it/readme/`:\n{}", block.join("\n"));
    }
}

#[test]
fn first_code_stands_before_line_20() {
    let readme = fs::read_to_string("README.md").unwrap();
    let line = readme.lines().position(|line| line == "```rust").expect("there is code");
    assert!(line < 20, "line {line}");
}

#[test]
fn at_most_a_thousand_words() {
    let readme = fs::read_to_string("README.md").unwrap();
    let words = readme.split_whitespace().count();
    assert!(words <= 1_000, "{words} words");
}

#[test]
fn compiler_error_is_the_snapshot_of_the_misuse() {
    let snapshot = fs::read_to_string("compile-fail/scope/forget_in_scope.stderr").unwrap();
    let snapshot = trimmed(&snapshot);
    let blocks = blocks("text");
    let [_, error] = &blocks[..] else { panic!("{} texts", blocks.len()) };
    for line in error {
        assert!(snapshot.contains(line), "{line}");
    }
}
