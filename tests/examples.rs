//! Runs the examples as a reader runs them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// The latest time at which the file, or a file in the folder, changed.
fn changed(path: &Path) -> SystemTime {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).unwrap();
        entries.map(|entry| changed(&entry.unwrap().path())).max().expect("no folder is empty")
    } else {
        path.metadata().unwrap().modified().unwrap()
    }
}

/// The executable of an example.
///
/// `cargo test` builds the examples, with the features of all packages that it tests. `cargo run` would
/// build them and their dependencies again, with the features of their own package. With options like
/// `--test examples`, `cargo test` does not build them. Then this builds an example if its executable is
/// missing or older than its sources.
fn executable(name: &str) -> PathBuf {
    /// The examples built here. A second build would replace an executable that another test runs.
    static BUILT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let test = std::env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).expect("a test is in `target/PROFILE/deps/`");
    let path = profile.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    let source = format!("examples/{name}.rs");
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let is_new = path.exists()
        && ["src", "derive/src", &source]
            .iter()
            .all(|source| changed(source.as_ref()) <= changed(&path));
    if !is_new && built.insert(name.to_owned()) {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--example", name]);
        match name {
            "processes" => cargo.args(["--features", "process"]),
            "shared_connections" => {
                cargo.args(["--package", "livedrop-shared-connections-example"])
            }
            "task" => cargo.args(["--features", "tokio"]),
            "tempdir" => cargo.args(["--features", "fs"]),
            "upload" => cargo.args(["--package", "livedrop-upload-example"]),
            _ => &mut cargo,
        };
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        assert!(cargo.stdin(Stdio::null()).status().unwrap().success(), "{name} is built");
    }
    path
}

fn example(name: &str, arguments: &[&str]) -> Output {
    Command::new(executable(name)).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn quickstart_loses_no_byte_of_a_guarded_copy() {
    let printed = lines("quickstart", &[]);
    let length = std::fs::metadata("examples/quickstart.rs").unwrap().len().to_string();
    let rows = [
        ["copy", "bytes", "missing"],
        ["plain", &length, &length],
        ["checked", &length, "0"],
        ["strict", &length, "0"],
        ["adopted", &length, "0"],
    ];
    assert_eq!(printed[..5], rows);
    let forgotten = printed[6].join(" ");
    assert!(forgotten.starts_with("Forgot to call async_drop on Output"), "{forgotten}");
}

#[test]
fn quickstart_refuses_an_input_that_cannot_be_read() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("quickstart");
    std::fs::create_dir_all(&folder).unwrap();
    for input in ["no-such-file", folder.to_str().unwrap()] {
        let output = Command::new(executable("quickstart"))
            .arg(input)
            .env("TMPDIR", &folder)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let error = text(&output.stderr);
        assert!(error.starts_with(&format!("quickstart: cannot read {input}: ")), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "no file is left");
    }
}

/// A new folder for the output of an example.
fn new_folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _absent = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

/// The words of each line that a successful example prints.
fn lines(name: &str, arguments: &[&str]) -> Vec<Vec<String>> {
    let output = example(name, arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
    text(&output.stdout).lines().map(words).collect()
}

#[test]
fn foreign_writes_every_line() {
    let file = new_folder("foreign").join("lines");
    let printed = lines("foreign", &[file.to_str().unwrap()]);
    assert_eq!(printed[0].join(" "), "100 lines written, 100 in the file");
    assert_eq!(std::fs::read_to_string(file).unwrap().lines().last(), Some("line 100"));
}

#[test]
fn tempdir_is_removed_on_every_way_out() {
    let folder = new_folder("tempdir");
    let printed = lines("tempdir", &[folder.to_str().unwrap()]);
    let printed: Vec<String> = printed.iter().map(|line| line.join(" ")).collect();
    let expected =
        ["normal removed", "error removed", "panic removed", "cancelled removed by the reaper"];
    assert_eq!(printed, expected);
    assert!(is_empty(&folder));
}

#[test]
fn task_is_awaited_and_aborted_if_it_hangs() {
    let printed: Vec<String> = lines("task", &["300"]).iter().map(|line| line.join(" ")).collect();
    assert_eq!(printed[0], "300 lines sent, 300 written when the task had ended");
    assert!(printed[1].contains("did not stop within 100ms, and was aborted"), "{printed:?}");
    assert_eq!(printed[2], "of the aborted task 0 values are left");
}

#[test]
fn processes_are_gone_on_every_way_out() {
    // An argument that hardly any other process has.
    let printed = lines("processes", &["sleep", "98765.4321"]);
    let printed: Vec<String> = printed.iter().map(|line| line.join(" ")).collect();
    let (ways, others) = printed.split_at(5);
    assert_eq!(ways, ["normal gone", "error gone", "panic gone", "cancelled gone", "Ctrl-C gone"],);
    assert_eq!(others, ["stubborn signal: 9 (SIGKILL)", "group gone, with its children"]);
    for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let command = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        assert!(!command.starts_with(b"sleep\098765.4321"), "{process:?} is left");
    }
}

#[test]
fn an_upload_is_committed_or_aborted_once() {
    let folder = new_folder("upload");
    let output = example("upload", &[folder.to_str().unwrap()]);
    assert!(output.status.success());
    let rows = text(&output.stdout);
    let rows: Vec<Vec<&str>> =
        rows.lines().skip(1).map(|row| row.split_whitespace().collect()).collect();
    let row = |row: &[&str]| row.join(" ");
    assert_eq!(row(&rows[0]), "normal 300000 0 uploaded");
    assert_eq!(row(&rows[1]), "error 0 0 the client went away");
    assert_eq!(row(&rows[2]), "cancelled 0 0 cancelled");
    // The commit had begun, so the reaper finished it.
    assert_eq!(row(&rows[3]), "late 300000 0 cancelled");
    // A failed commit is aborted: otherwise the parts would be kept. Here that fails, too.
    let refused = row(&rows[4]);
    assert!(refused.starts_with("refused 0 0 2 cleanups failed: "), "{refused}");
    // The error of the abort goes to the hook.
    assert_eq!(row(&rows[5]), "two errors 0 0 the client went away");
    let other = text(&output.stderr);
    assert!(other.starts_with("livedrop: cleanup of Upload failed as well: "), "{other}");
    assert!(other.contains("object#1") && other.lines().count() == 1, "{other}");
    assert!(is_empty(&folder));
}

#[test]
fn shared_connections_are_closed_as_often_as_opened() {
    let printed = lines("shared_connections", &["40"]);
    let printed: Vec<String> = printed.iter().map(|line| line.join(" ")).collect();
    assert_eq!(printed[1], "30 were answered, 10 were told that it cannot be opened");
    let opened = printed[2].split(' ').next().unwrap();
    assert!(opened.parse::<usize>().unwrap() >= 3);
    assert_eq!(printed[2], format!("{opened} connections opened, {opened} said goodbye"));
}

#[test]
fn bad_argument_prints_one_line_and_exits_1() {
    let cases = [
        ("foreign", "/no/such/file", "cannot write /no/such/file: "),
        ("tempdir", "/no/such", "cannot create a directory in /no/such: "),
        ("upload", "/no/such", "cannot create /no/such/"),
        ("processes", "/no/such", "cannot start /no/such: "),
        ("task", "many", "LINES is a whole number, not many"),
        ("shared_connections", "many", "USERS is a whole number, not many"),
    ];
    for (name, argument, expected) in cases {
        let output = example(name, &[argument]);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.starts_with(&format!("{name}: {expected}")), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

/// Each file and folder in `examples/` has its row, with its command.
#[test]
fn every_example_has_a_row_in_the_table() {
    let table = std::fs::read_to_string("examples/README.md").unwrap();
    for entry in std::fs::read_dir("examples").unwrap() {
        let file = entry.unwrap().file_name();
        let file = file.to_str().unwrap();
        if file == "README.md" {
            continue;
        }
        let row = table.lines().find(|row| row.contains(&format!("]({file})")));
        let row = row.unwrap_or_else(|| panic!("no row for {file}"));
        let name = file.trim_end_matches(".rs");
        assert!(row.contains("`cargo run ") && row.contains(name), "{row}");
    }
}
