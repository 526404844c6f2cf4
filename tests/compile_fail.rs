//! Runs the gallery of misuses: every file in `compile-fail/` is refused as its snapshot says,
//! and every twin in `compile-fail/pass/` compiles and runs.
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
            for private in ["__private", "livedrop::guard::", "sealed::", "/rustc/", "/library/"] {
                assert!(!snapshot.contains(private), "{area}/{misuse} names {private:?}");
            }
        }
    }
}
