//! The instructions of each operation, compared with the same guarantee written by hand.
//!
//! `benches/instructions.sh` counts with callgrind, prints a table, and fails if a bound does not
//! hold. The counts are the same in every run, also on a busy machine.

use std::path::Path;

use counted::{many_values, many_values_alone, one_value, one_value_alone};
use gungraun::{Callgrind, LibraryBenchmarkConfig};

mod baselines;
#[path = "support/columns.rs"]
mod columns;
#[path = "instructions/counted.rs"]
mod counted;
#[path = "instructions/many.rs"]
mod many;
#[path = "instructions/once.rs"]
mod once;
#[path = "instructions/rows.rs"]
mod rows;
#[path = "instructions/table.rs"]
mod table;
#[path = "instructions/value.rs"]
mod value;

fn main() {
    // Only the instructions are read, and cache simulation is slow.
    gungraun::main!(
        config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"]));
        library_benchmark_groups = one_value, many_values, one_value_alone, many_values_alone
    );
    let first = std::env::args().nth(1);
    if first.as_deref() == Some("--gungraun-run") {
        return main();
    }
    if !std::env::args().any(|argument| argument == "--bench") {
        return rows::try_all();
    }
    main();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is in `target`");
    if !rows::print(target) {
        eprintln!("not all bounds hold");
        std::process::exit(1);
    }
}
