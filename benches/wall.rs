//! The time of each operation, compared with the same guarantee written by hand.
//!
//! `cargo bench -p livedrop-benches --bench wall` measures with criterion, and prints ratios. They
//! hold for one run on one machine. The counts of the bench `instructions` are repeatable.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use columns::{head, row};
use criterion::{BatchSize, BenchmarkId, Criterion};
use support::pairs::{MANY, Many, ONCE, Once};

#[path = "instructions/many.rs"]
mod many;
#[expect(dead_code, reason = "nothing is subtracted here")]
#[path = "instructions/once.rs"]
mod once;
mod support {
    pub(crate) mod pairs;
}
mod baselines;
#[path = "support/columns.rs"]
mod columns;
#[path = "instructions/value.rs"]
mod value;

const VALUES: u64 = 10_000;

/// Each round measures all operations, because a disturbance of the machine lasts for seconds.
const ROUNDS: usize = 5;

/// The nanoseconds of an operation of the library, and of other code that does the same.
struct Row {
    operation: String,
    livedrop: f64,
    others: Vec<(&'static str, f64)>,
}

/// Measures with criterion, and reads its files.
struct Clock {
    criterion: Criterion,
    folder: PathBuf,
}

impl Clock {
    fn new() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("criterion");
        let criterion = Criterion::default()
            .without_plots()
            .sample_size(30)
            .warm_up_time(Duration::from_millis(50))
            .measurement_time(Duration::from_millis(300))
            .output_directory(&folder);
        Self { criterion, folder }
    }

    fn once(&mut self, operation: &str, by: &str, once: Once) -> f64 {
        let mut group = self.criterion.benchmark_group(file_name(operation));
        group.bench_function(file_name(by), |bencher| {
            bencher.iter_custom(|times| {
                let begin = Instant::now();
                once(times);
                begin.elapsed()
            });
        });
        group.finish();
        self.nanoseconds(operation, by)
    }

    /// Nanoseconds for each value.
    fn many(&mut self, operation: &str, by: &str, many: Many, waits: u64) -> f64 {
        let mut group = self.criterion.benchmark_group(file_name(operation));
        group.bench_with_input(BenchmarkId::from_parameter(file_name(by)), &waits, |bencher, _| {
            bencher.iter_batched(
                || many(VALUES, waits),
                |cleanup| cleanup(),
                BatchSize::PerIteration,
            );
        });
        group.finish();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let values = VALUES as f64;
        self.nanoseconds(operation, by) / values
    }

    /// The time of the fastest sample: the others were disturbed.
    fn nanoseconds(&self, operation: &str, by: &str) -> f64 {
        let file =
            self.folder.join(file_name(operation)).join(file_name(by)).join("new/sample.json");
        let text = fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()));
        let samples = numbers(&text, "times").zip(numbers(&text, "iters"));
        samples.map(|(time, turns)| time / turns).min_by(f64::total_cmp).expect("there are samples")
    }
}

/// The numbers of the JSON array of that name.
fn numbers<'a>(json: &'a str, name: &str) -> impl Iterator<Item = f64> + use<'a> {
    let (_, array) = json.split_once(&format!("\"{name}\":[")).expect("criterion writes it");
    let (array, _) = array.split_once(']').expect("it ends");
    array.split(',').map(|number| number.trim().parse().expect("it is a number"))
}

fn file_name(name: &str) -> String {
    name.chars().map(|char| if char.is_alphanumeric() { char } else { '_' }).collect()
}

fn measure() -> Vec<Row> {
    let mut clock = Clock::new();
    let mut rows = Vec::new();
    for pairs in ONCE {
        let operation = pairs.operation.to_owned();
        let livedrop = clock.once(&operation, "livedrop", pairs.livedrop);
        let others = pairs.others.iter();
        let others = others.map(|&(by, other)| (by, clock.once(&operation, by, other))).collect();
        rows.push(Row { operation, livedrop, others });
    }
    for pairs in MANY {
        for (waits, name) in [(0, "no waiting"), (1, "waits once")] {
            let operation = format!("{}, {name}", pairs.operation);
            let livedrop = clock.many(&operation, "livedrop", pairs.livedrop, waits);
            let others = pairs.others.iter();
            let others =
                others.map(|&(by, other)| (by, clock.many(&operation, by, other, waits))).collect();
            rows.push(Row { operation, livedrop, others });
        }
    }
    rows
}

/// The faster of two rounds, for each operation.
fn faster(mut rows: Vec<Row>, again: Vec<Row>) -> Vec<Row> {
    for (row, again) in rows.iter_mut().zip(again) {
        row.livedrop = row.livedrop.min(again.livedrop);
        for ((_, other), (_, again)) in row.others.iter_mut().zip(again.others) {
            *other = other.min(again);
        }
    }
    rows
}

fn print(rows: &[Row]) {
    println!("\n{}", head("ns"));
    for Row { operation, livedrop, others } in rows {
        let cell = |other: &f64| format!("{other:.1}: {:.2}", livedrop / other);
        println!("{}", row(operation, &format!("{livedrop:.1}"), others, cell));
    }
}

fn main() {
    if std::env::args().any(|argument| argument == "--bench") {
        let rounds = (0..ROUNDS).map(|_| measure());
        return print(&rounds.reduce(faster).expect("there is a round"));
    }
    // Run as a test, it only has to work.
    for pairs in ONCE {
        (pairs.livedrop)(2);
        pairs.others.iter().for_each(|(_, other)| other(2));
    }
    for pairs in MANY {
        (pairs.livedrop)(2, 1)();
        pairs.others.iter().for_each(|(_, other)| other(2, 1)());
    }
}
