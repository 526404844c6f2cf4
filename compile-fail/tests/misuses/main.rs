//! Checks that the compiler rejects every misuse, and that each misuse has a head, a snapshot, a
//! corrected program and a row in the index.
//!
//! The snapshots are errors of the pinned compiler. `TRYBUILD=overwrite` writes them again. With any
//! other compiler, `rejected` compares error codes instead.

mod files;
mod index;
mod rejected;

use std::collections::BTreeSet;
use std::fs;

use files::{Misuse, areas, misuses, names_in};

/// The beginnings of the four head lines of a misuse.
const HEAD: [&str; 4] = ["//! Misuse: ", "//! Why it matters: ", "//! Fix: ", "//! Rule: "];

#[cfg(feature = "snapshots")]
#[test]
fn every_misuse_is_refused_as_its_snapshot_says() {
    if let Some(found) = files::other_compiler() {
        eprintln!("skipped: the snapshots are for another compiler than {found}");
        return;
    }
    let cases = trybuild::TestCases::new();
    for area in areas() {
        cases.compile_fail(format!("{area}/*.rs"));
    }
}

#[test]
fn every_misuse_has_a_snapshot_and_corrected_program() {
    for area in areas() {
        let misuses = names_in(&area, "rs");
        assert_eq!(misuses, names_in(&area, "stderr"), "snapshots of {area}");
        let corrected = names_in(&format!("pass/{area}"), "rs");
        assert_eq!(misuses, corrected, "corrected programs of {area}");
    }
    let corrected: BTreeSet<String> = files::folders("pass").into_iter().collect();
    for area in corrected {
        assert!(fs::exists(&area).unwrap(), "pass/{area} has corrected programs of no misuse");
    }
}

#[test]
fn every_misuse_has_the_four_head_lines() {
    for misuse in misuses() {
        let lines: Vec<&str> = misuse.source.lines().take(HEAD.len()).collect();
        for (line, beginning) in lines.into_iter().zip(HEAD) {
            assert!(line.starts_with(beginning), "{misuse}: {line:?}, not {beginning:?}");
        }
    }
}

/// The first line of a head ends with a part of the compiler's error: a code, or some words.
#[test]
fn every_snapshot_holds_what_its_head_names() {
    for misuse in misuses() {
        let (_, named) = misuse.mistake();
        assert!(misuse.snapshot.contains(named), "{misuse}: {named:?} is not in the snapshot");
    }
}

/// `__private` holds the items that the macros and the derive call. Some of their messages name it.
const PUBLIC_MODULES: [&str; 10] = [
    "__private",
    "all",
    "collections",
    "deferred",
    "hook",
    "reaper",
    "scope",
    "state",
    "sync",
    "testing",
];

#[test]
fn no_snapshot_names_anything_private() {
    for misuse @ Misuse { snapshot, .. } in &misuses() {
        for private in ["sealed::", "/rustc/", "/library/", "long-type"] {
            assert!(!snapshot.contains(private), "{misuse} names {private:?}");
        }
        for path in snapshot.split("livedrop::").skip(1) {
            let module = path.split_once("::").map_or("", |(module, _)| module);
            let is_module = module.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            assert!(
                module.is_empty() || !is_module || PUBLIC_MODULES.contains(&module),
                "{misuse} names the private module {module:?}"
            );
        }
    }
}
