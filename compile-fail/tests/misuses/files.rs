//! Reads the files of this crate: one folder per area, with each misuse and its snapshot.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program that must not compile.
pub(crate) struct Misuse {
    pub(crate) area: String,
    pub(crate) name: String,
    pub(crate) source: String,
    pub(crate) snapshot: String,
}

impl Misuse {
    pub(crate) fn path(&self) -> PathBuf {
        Path::new(&self.area).join(&self.name).with_extension("rs")
    }

    /// Returns the rest of the head line that begins with `beginning`.
    pub(crate) fn head(&self, beginning: &str) -> &str {
        let found = self.source.lines().find_map(|line| line.strip_prefix(beginning));
        found.unwrap_or_else(|| panic!("{self}: no line begins with {beginning:?}"))
    }

    /// Returns the mistake, and the error code or words in brackets after it.
    pub(crate) fn mistake(&self) -> (&str, &str) {
        self.head("//! Misuse: ")
            .strip_suffix(')')
            .and_then(|line| line.rsplit_once(" ("))
            .unwrap_or_else(|| panic!("{self}: the first line does not end with `(E0000)`"))
    }

    /// Returns the first line of the compiler's first error. Warnings come before the errors.
    pub(crate) fn message(&self) -> &str {
        let error = self.snapshot.lines().find(|line| line.starts_with("error"));
        error.unwrap_or_else(|| panic!("{self}: the snapshot has no error"))
    }

    /// Returns the error code in that line. Errors of lints and macros have none.
    pub(crate) fn code(&self) -> Option<&str> {
        Some(self.message().strip_prefix("error[")?.split_once(']')?.0)
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.area, self.name)
    }
}

/// Returns the misuses of all areas, sorted by name.
pub(crate) fn misuses() -> Vec<Misuse> {
    let mut misuses = Vec::new();
    for area in areas() {
        for name in names_in(&area, "rs") {
            let path = Path::new(&area).join(&name);
            let source = fs::read_to_string(path.with_extension("rs")).unwrap();
            let snapshot = fs::read_to_string(path.with_extension("stderr")).unwrap_or_default();
            misuses.push(Misuse { area: area.clone(), name, source, snapshot });
        }
    }
    misuses
}

/// Returns the areas: the folders that contain misuses.
pub(crate) fn areas() -> Vec<String> {
    let mut areas = folders(".");
    // trybuild writes the errors of misuses without a snapshot into `wip`.
    areas.retain(|area| !["pass", "tests", "wip"].contains(&area.as_str()));
    areas
}

/// Returns the sorted names of the folders in a folder.
pub(crate) fn folders(parent: &str) -> Vec<String> {
    let mut folders: Vec<String> = fs::read_dir(parent)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    folders.sort();
    folders
}

/// Returns the names of the files with this extension in a folder.
pub(crate) fn names_in(folder: &str, extension: &str) -> BTreeSet<String> {
    fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{folder}: {error}"))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect()
}

/// Returns the version of the running compiler, if the toolchain file names another one.
pub(crate) fn other_compiler() -> Option<String> {
    let toolchain = fs::read_to_string("../rust-toolchain.toml").unwrap();
    let pinned = toolchain.split('"').nth(1).expect("the channel is the first string");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().unwrap().stdout;
    let version = String::from_utf8(version).unwrap().trim().to_owned();
    (!version.starts_with(&format!("rustc {pinned} "))).then_some(version)
}
