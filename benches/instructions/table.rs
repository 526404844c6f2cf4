//! The table: the counts of each operation, and whether its bound holds.

use std::fs;
use std::path::{Path, PathBuf};

use crate::columns::{head, row};

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

/// The name of other code, its benchmark with the greatest allowed ratio of the library to it.
pub(crate) type Other = (&'static str, (Counted, Option<f64>));

/// A benchmark of the library, and what it is compared with.
pub(crate) struct Row {
    pub(crate) operation: &'static str,
    pub(crate) livedrop: Counted,
    pub(crate) others: &'static [Other],
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
    ///
    /// A cell has the instructions of the other code, the ratio of the library to it, and its bound.
    pub(crate) fn table(&self, rows: &[Row]) -> (String, bool) {
        let mut lines = vec![head("instructions")];
        let mut all_hold = true;
        for Row { operation, livedrop, others } in rows {
            let livedrop = self.of(*livedrop);
            let cell = |&(other, bound): &(Counted, Option<f64>)| {
                let other = self.of(other);
                let ratio = livedrop / other;
                let Some(bound) = bound else { return format!("{other:.0}: {ratio:.2}") };
                all_hold &= ratio <= bound;
                let sign = if ratio <= bound { "≤" } else { "**>**" };
                format!("{other:.0}: {ratio:.2} {sign} {bound:.2}")
            };
            lines.push(row(operation, &format!("{livedrop:.0}"), others, cell));
        }
        (lines.join("\n"), all_hold)
    }
}
