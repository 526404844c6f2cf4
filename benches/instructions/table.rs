//! The table: the counts of each operation, and whether its bound holds.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// A benchmark, and the number of operations in it.
#[derive(Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) group: &'static str,
    pub(crate) function: &'static str,
    pub(crate) id: &'static str,
    pub(crate) operations: u64,
    /// Whether a loop did the operations one by one.
    pub(crate) in_a_loop: bool,
}

/// Two benchmarks to compare.
pub(crate) struct Row {
    pub(crate) operation: &'static str,
    pub(crate) livedrop: Counted,
    pub(crate) other: &'static str,
    pub(crate) other_counted: Counted,
    /// The greatest allowed ratio of `livedrop` to `other_counted`.
    pub(crate) bound: Option<f64>,
}

/// The counts, as gungraun writes them.
pub(crate) struct Counts {
    folder: PathBuf,
    /// The instructions of one turn of an empty loop.
    per_turn: f64,
}

impl Counts {
    pub(crate) fn open(target: &Path, bench: &str, nothing: Counted) -> Self {
        let folder = target.join("gungraun").join(env!("CARGO_PKG_NAME")).join(bench);
        let mut counts = Self { folder, per_turn: 0.0 };
        counts.per_turn = counts.of(nothing);
        counts
    }

    /// Instructions for each operation.
    ///
    /// Reads callgrind's own file, since it needs no parser: it has a line `totals: 123`.
    pub(crate) fn of(&self, counted: Counted) -> f64 {
        let Counted { group, function, id, operations, in_a_loop } = counted;
        let name = format!("{function}.{id}");
        let file = self.folder.join(group).join(&name).join(format!("callgrind.{name}.out"));
        let text = fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()));
        let total = text
            .lines()
            .find_map(|line| line.strip_prefix("totals: "))
            .and_then(|total| total.trim().parse::<u32>().ok())
            .unwrap_or_else(|| panic!("there is no total in {}", file.display()));
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let operations = operations as f64;
        let loop_itself = if in_a_loop { self.per_turn } else { 0.0 };
        f64::from(total) / operations - loop_itself
    }

    /// The rows as Markdown, and whether all their bounds hold.
    pub(crate) fn table(&self, rows: &[Row]) -> (String, bool) {
        let mut text = String::from(
            "| operation | livedrop | other | | ratio | bound | holds |\n|---|---|---|---|---|---|---|\n",
        );
        let mut all_hold = true;
        for row in rows {
            let (livedrop, other) = (self.of(row.livedrop), self.of(row.other_counted));
            let ratio = livedrop / other;
            let (bound, holds) = match row.bound {
                Some(bound) if ratio <= bound => (format!("≤ {bound:.2}"), "yes"),
                Some(bound) => {
                    all_hold = false;
                    (format!("≤ {bound:.2}"), "**no**")
                }
                None => (String::new(), ""),
            };
            let (operation, name) = (row.operation, row.other);
            writeln!(
                text,
                "| {operation} | {livedrop:.0} | {other:.0} | {name} | {ratio:.3} | {bound} | {holds} |"
            )
            .expect("a string takes everything");
        }
        (text, all_hold)
    }
}
