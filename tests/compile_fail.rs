//! Runs the gallery of misuses: every file in `compile-fail/` is refused as its snapshot says,
//! and every twin in `compile-fail/pass/` compiles and runs. `compile-fail/README.md`, the index,
//! has a row for each.
//!
//! The snapshots quote the pinned compiler. `TRYBUILD=overwrite` writes them anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const GALLERY: &str = "compile-fail";

/// The areas of the gallery: its folders, without that of the twins.
fn areas() -> Vec<String> {
    let mut areas: Vec<String> = fs::read_dir(GALLERY)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name != "pass")
        .collect();
    areas.sort();
    areas
}

/// The files with this extension in a folder, by their stem.
fn stems(folder: &Path, extension: &str) -> BTreeSet<String> {
    fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect()
}

/// The compiler that the toolchain file names, and the one that runs, if they differ.
fn other_compiler() -> Option<(String, String)> {
    let toolchain = fs::read_to_string("rust-toolchain.toml").unwrap();
    let pinned = toolchain.split('"').nth(1).expect("the channel is the first string").to_owned();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().unwrap().stdout;
    let version = String::from_utf8(version).unwrap();
    (!version.starts_with(&format!("rustc {pinned} "))).then_some((pinned, version))
}

#[test]
fn every_misuse_is_refused_and_every_twin_passes() {
    if let Some((pinned, found)) = other_compiler() {
        eprintln!("skipped: the snapshots are of rustc {pinned}, this is {found}");
        return;
    }
    let cases = trybuild::TestCases::new();
    for area in areas() {
        if area == "derive" && cfg!(not(feature = "derive")) {
            continue;
        }
        // What is misused there is missing only without the feature.
        if !(area == "sync_drop" && cfg!(feature = "testutils")) {
            cases.compile_fail(format!("{GALLERY}/{area}/*.rs"));
        }
        cases.pass(format!("{GALLERY}/pass/{area}/*.rs"));
    }
}

#[test]
fn every_misuse_has_a_head_a_snapshot_and_a_twin() {
    for area in areas() {
        let folder = PathBuf::from(GALLERY).join(&area);
        let misuses = stems(&folder, "rs");
        assert_eq!(misuses, stems(&folder, "stderr"), "snapshots of {area}");
        assert_eq!(misuses, stems(&Path::new(GALLERY).join("pass").join(&area), "rs"), "{area}");
        for misuse in misuses {
            let source = fs::read_to_string(folder.join(&misuse).with_extension("rs")).unwrap();
            let mut lines = source.lines();
            for beginning in ["//! Misuse: ", "//! Why it matters: ", "//! Fix: "] {
                let line = lines.next().unwrap_or_default();
                assert!(
                    line.starts_with(beginning),
                    "{area}/{misuse}: {line:?}, not {beginning:?}"
                );
            }
        }
    }
}

/// The first line of a head ends with what the compiler's text holds: a code, or a sentence.
#[test]
fn every_snapshot_holds_what_its_head_names() {
    for area in areas() {
        let folder = PathBuf::from(GALLERY).join(&area);
        for misuse in stems(&folder, "rs") {
            let path = folder.join(&misuse);
            let source = fs::read_to_string(path.with_extension("rs")).unwrap();
            let named = source
                .lines()
                .next()
                .and_then(|head| head.strip_suffix(')'))
                .and_then(|head| head.rsplit_once('('))
                .unwrap_or_else(|| panic!("{area}/{misuse}: no `(E0000)` ends the first line"))
                .1;
            let snapshot = fs::read_to_string(path.with_extension("stderr")).unwrap();
            assert!(snapshot.contains(named), "{area}/{misuse}: {named:?} is not in the snapshot");
            for private in ["__private", "sealed::", "/rustc/", "/library/", "long-type"] {
                assert!(!snapshot.contains(private), "{area}/{misuse} names {private:?}");
            }
            for path in snapshot.split("livedrop::").skip(1) {
                let module = path.split_once("::").map_or("", |(module, _)| module);
                let is_module = module.chars().all(|c| c.is_ascii_lowercase() || c == '_');
                assert!(
                    module.is_empty() || module == "hook" || !is_module,
                    "{area}/{misuse} names the private module {module:?}"
                );
            }
        }
    }
}

/// What stands in a row of the index before the rule: the mistake, the compiler's first line and
/// the fix, as the entry's own files have them.
fn row(area: &str, misuse: &str) -> String {
    let path = PathBuf::from(GALLERY).join(area).join(misuse);
    let source = fs::read_to_string(path.with_extension("rs")).unwrap();
    let line = |beginning: &str| {
        let found = source.lines().find_map(|line| line.strip_prefix(beginning));
        found.unwrap_or_else(|| panic!("{area}/{misuse}: no {beginning:?}")).to_owned()
    };
    let (mistake, fix) = (line("//! Misuse: "), line("//! Fix: "));
    let (mistake, _) = mistake.rsplit_once(" (").expect("the code at the end");
    let snapshot = fs::read_to_string(path.with_extension("stderr")).unwrap();
    let said = snapshot.lines().next().expect("the first line");
    let said = if said.contains('`') { format!("`` {said} ``") } else { format!("`{said}`") };
    let cells = [format!("[{mistake}]({area}/{misuse}.rs)"), said, fix];
    cells.iter().fold("| ".to_owned(), |row, cell| row + &cell.replace('|', "\\|") + " | ")
}

#[test]
fn the_index_has_one_row_for_every_misuse_as_it_is() {
    let index = fs::read_to_string(Path::new(GALLERY).join("README.md")).unwrap();
    let mut rows = Vec::new();
    for section in index.split("\n## ").skip(1) {
        let heading = section.lines().next().unwrap_or_default().trim_matches('`');
        let found = section.lines().filter(|line| line.starts_with("| ["));
        rows.extend(found.map(|row| (heading.to_owned(), row)));
    }
    let rules: Vec<&str> =
        index.lines().filter_map(|line| line.strip_prefix("- **")?.split("**").next()).collect();
    for area in areas() {
        for misuse in stems(&PathBuf::from(GALLERY).join(&area), "rs") {
            let expected = row(&area, &misuse);
            let found: Vec<usize> = (0..rows.len())
                .filter(|&at| rows[at].0 == area && rows[at].1.starts_with(&expected))
                .collect();
            assert_eq!(found.len(), 1, "rows of {area}/{misuse}, which is\n{expected}rule |");
            let rule = rows.remove(found[0]).1[expected.len()..].trim_end_matches(" |");
            assert!(rules.contains(&rule), "{area}/{misuse}: {rule:?} is none of the rules");
        }
    }
    assert!(rows.is_empty(), "rows without a misuse: {rows:#?}");
}
