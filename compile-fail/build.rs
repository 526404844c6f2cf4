//! Combines all corrected programs into one test crate: one module per program, with a test that calls
//! its `main`. `tests/pass/main.rs` includes the result.

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::Path;

fn main() {
    // Cargo also watches the subfolders, so it notices new and changed programs.
    println!("cargo::rerun-if-changed=pass");

    let out = env::var_os("OUT_DIR").expect("cargo sets it for a build script");
    let mut modules = String::new();
    for area in names(Path::new("pass")) {
        let copies = Path::new(&out).join(&area);
        fs::create_dir_all(&copies).expect("the build script may write to OUT_DIR");

        writeln!(modules, "mod {area} {{").unwrap();
        for file in names(&Path::new("pass").join(&area)) {
            let program = Path::new("pass").join(&area).join(&file);
            let name = file.strip_suffix(".rs").expect("a program's name ends with `.rs`");
            // The test calls the private `main`, so it must be in the same module. It is at the end,
            // so that an error has the same line number as in the program.
            let source = fs::read_to_string(&program).expect("a program is text");
            let copy = copies.join(&file);
            fs::write(&copy, source + TEST).expect("the build script may write to OUT_DIR");
            let copy = copy.to_str().expect("the path of OUT_DIR is UTF-8");
            writeln!(modules, "    #[path = {copy:?}]\n    mod {name};").unwrap();
        }
        modules.push_str("}\n");
    }
    fs::write(Path::new(&out).join("pass.rs"), modules).expect("OUT_DIR is there");
}

const TEST: &str = "
#[test]
fn compiles_and_runs() {
    main();
}
";

/// Returns the sorted names of the entries of a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
