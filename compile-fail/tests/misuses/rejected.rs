//! Checks that any compiler rejects each misuse with the same error code as the pinned compiler. The
//! texts differ between compilers, but the codes do not.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::files::{misuses, other_compiler};

/// Set this variable to run the test with the pinned compiler, too. The snapshots check more there.
const ANYWAY: &str = "LIVEDROP_REJECTED";

#[test]
fn every_compiler_rejects_the_misuses() {
    if other_compiler().is_none() && env::var_os(ANYWAY).is_none() {
        eprintln!("skipped: the snapshots are for this compiler; `{ANYWAY}=1` runs this anyway");
        return;
    }
    let misuses = misuses();
    let errors = check(&write_project());
    let mut wrong = Vec::new();
    for misuse in &misuses {
        let codes = errors.get(&misuse.path()).cloned().unwrap_or_default();
        match misuse.code() {
            _ if codes.is_empty() => wrong.push(format!("{misuse} compiles")),
            Some(code) if !codes.contains(code) => {
                wrong.push(format!("{misuse} gives {codes:?} instead of {code}"));
            }
            _ => {}
        }
    }
    let rejected = misuses.len() - wrong.len();
    eprintln!("{rejected} of {} misuses are rejected as they should be", misuses.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Writes a project with one program per misuse and the dependencies of this crate.
fn write_project() -> PathBuf {
    let project = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rejected");
    let here = env::current_dir().unwrap();
    let own = fs::read_to_string("Cargo.toml").unwrap();
    let dependencies = own.split("[dependencies]\n").nth(1).expect("this crate has dependencies");
    let dependencies = dependencies.split("\n[").next().unwrap_or_default();

    let mut manifest = String::from(
        "[package]\nname = \"rejected\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n",
    );
    manifest.push_str("[dependencies]\n");
    for dependency in dependencies.lines().filter(|line| !line.starts_with("trybuild")) {
        let library = here.parent().expect("the library is the parent folder").display();
        writeln!(manifest, "{}", dependency.replace("\"..\"", &format!("{library:?}"))).unwrap();
    }
    for misuse in misuses() {
        let path = here.join(misuse.path());
        let path = path.to_str().expect("the path of this crate is UTF-8");
        let name = format!("{}-{}", misuse.area, misuse.name);
        writeln!(manifest, "[[bin]]\nname = {name:?}\npath = {path:?}").unwrap();
    }
    fs::create_dir_all(&project).unwrap();
    fs::write(project.join("Cargo.toml"), manifest).unwrap();
    fs::copy("../Cargo.lock", project.join("Cargo.lock")).unwrap();
    project
}

/// Compiles all programs. Returns the error codes of each program that does not compile. An error
/// without a code counts as the empty code.
fn check(project: &Path) -> BTreeMap<PathBuf, BTreeSet<String>> {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["check", "--bins", "--keep-going", "--offline", "--quiet"])
        .arg("--message-format=json")
        .current_dir(project)
        .env("CARGO_TARGET_DIR", project.join("target"))
        .output()
        .unwrap();

    let here = env::current_dir().unwrap();
    let mut errors = BTreeMap::<PathBuf, BTreeSet<String>>::new();
    for line in output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let line: Value = serde_json::from_slice(line).expect("cargo writes JSON");
        let message = &line["message"];
        if line["reason"] != "compiler-message" || message["level"] != "error" {
            continue;
        }
        let source = Path::new(line["target"]["src_path"].as_str().expect("a message has a file"));
        let Ok(misuse) = source.strip_prefix(&here) else {
            panic!("a dependency does not compile: {}", message["rendered"]);
        };
        let code = message["code"]["code"].as_str().unwrap_or_default();
        errors.entry(misuse.to_owned()).or_default().insert(code.to_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!errors.is_empty(), "no program was compiled: {stderr}");
    errors
}
