//! The examples, run as a reader runs them.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

fn example(name: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--example", name, "--"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The rows of the quickstart's table: kind of copy, bytes written and missing.
fn rows(table: &str) -> Vec<(String, u64, u64)> {
    let is_row =
        |line: &&str| ["plain ", "guarded ", "strict "].iter().any(|kind| line.starts_with(kind));
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |from_the_end: usize| words[words.len() - from_the_end].parse().unwrap();
        (words[0].to_owned(), number(3), number(1))
    };
    table.lines().filter(is_row).map(row).collect()
}

#[test]
fn quickstart_loses_no_byte_of_a_guarded_copy() {
    let output = example("quickstart", &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
    let length = std::fs::metadata("examples/quickstart.rs").unwrap().len();
    let rows = rows(&text(&output.stdout));
    assert_eq!(rows.len(), 8, "{rows:?}");
    for (kind, written, missing) in rows {
        assert_eq!(written, length, "{kind}");
        assert_eq!(missing > 0, kind == "plain", "{kind} lost {missing}");
    }
}

#[test]
fn quickstart_refuses_an_input_that_cannot_be_read() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("quickstart");
    std::fs::create_dir_all(&folder).unwrap();
    for input in ["no-such-file", folder.to_str().unwrap()] {
        let output = Command::new(env!("CARGO"))
            .args(["run", "--quiet", "--example", "quickstart", "--", input])
            .env("TMPDIR", &folder)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let error = text(&output.stderr);
        assert!(error.starts_with(&format!("quickstart: cannot read {input}: ")), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "nothing is left behind");
    }
}
