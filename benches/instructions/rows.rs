//! The operations that are compared, and the bounds of their ratios.

use std::path::Path;

use crate::counted::TURNS;
use crate::table::{Counted, Counts, Row};
use crate::{many, once};

const fn once(id: &'static str) -> Counted {
    Counted { group: "one_value", function: "once_each", id, operations: TURNS, in_a_loop: true }
}

const fn many(id: &'static str, operations: u64) -> Counted {
    Counted { group: "many_values", function: "many_at_once", id, operations, in_a_loop: false }
}

const fn row(
    operation: &'static str,
    livedrop: Counted,
    other: &'static str,
    other_counted: Counted,
    bound: Option<f64>,
) -> Row {
    Row { operation, livedrop, other, other_counted, bound }
}

const BASELINE: &str = "baseline";
const BASELINE_APART: &str = "baseline, captured apart";
const BASELINE_IN_PLACE: &str = "baseline, in place";
const WITHOUT_PROOF: &str = "`live`, in a body";
const BOMB: &str = "drop bomb only";
const PEER: &str = "`async-drop-guard`";
const BOXES: &str = "boxed futures";
const FUTURES: &str = "futures";

#[rustfmt::skip] // It is a table.
const ROWS: &[Row] = &[
    row("`live`", once("live"), BASELINE, once("live_baseline"), Some(0.6)),
    row("`live`", once("live"), BASELINE_IN_PLACE, once("live_baseline_in_place"), None),
    row("`live`", once("live"), BASELINE_APART, once("live_baseline_apart"), None),
    row("`live`", once("live"), BOMB, once("bomb"), None),
    row("`live`", once("live"), "drop bomb, with a flag", once("bomb_with_flag"), None),
    row("`live`", once("live"), "no guarantee", once("by_hand"), None),
    row("`live`", once("live"), "no guarantee, in place", once("by_hand_in_place"), None),
    row("`scope!`", once("scope"), BASELINE, once("scope_baseline"), Some(0.5)),
    row("`scope!`", once("scope"), BASELINE_IN_PLACE, once("scope_baseline_in_place"), None),
    row("`scope!`", once("scope"), BASELINE_APART, once("scope_baseline_apart"), None),
    row("`scope!`", once("scope"), WITHOUT_PROOF, once("body_live"), None),
    row("`scope!`", once("scope"), BOMB, once("body_bomb"), None),
    row("`scope!`", once("scope"), "drop bomb, in one block", once("one_block_bomb"), None),
    row("`scope!`", once("scope"), "no guarantee", once("body_by_hand"), None),
    row("`scope`", once("scope_function"), BASELINE, once("scope_baseline"), Some(0.5)),
    row("checked", once("checked"), BASELINE, once("checked_baseline"), Some(1.1)),
    row("checked, not touched", once("checked_again"), BASELINE, once("checked_baseline_again"), Some(1.1)),
    row("checked, nothing else", once("checked_alone"), BASELINE, once("checked_baseline"), None),
    row("checked", once("checked"), "baseline without catch", once("checked_uncaught"), None),
    row("`with_async_drop!`", once("with"), BASELINE, once("with_baseline"), Some(1.1)),
    row("`with_async_drop`", once("with_function"), BASELINE, once("with_baseline"), Some(1.1)),
    row("`with_async_drop!`", once("with"), "baseline, in a block", once("with_baseline_in_a_block"), Some(1.1)),
    row("`with_async_drop!`", once("with"), "baseline, guard borrowed", once("with_baseline_borrowed"), None),
    row("boxed", once("boxed"), BASELINE, once("boxed_baseline"), Some(1.05)),
    row("boxed", once("boxed"), PEER, once("boxed_peer"), Some(0.95)),
    row("boxed", once("boxed"), "no guarantee", once("boxed_by_hand"), None),
    row("`AsyncDropArc`", once("arc"), BASELINE, once("arc_baseline"), Some(1.5)),
    row("`AsyncDropArc`", once("arc"), PEER, once("arc_peer"), Some(0.3)),
    row("`AsyncDropMutex`", once("lock"), "`futures::lock::Mutex`", once("lock_by_hand"), None),
    row("map, no waiting", many("map_0", 10_000), BOXES, many("map_of_boxes_0", 10_000), Some(0.7)),
    row("map, no waiting", many("map_0", 10_000), FUTURES, many("map_of_futures_0", 10_000), Some(0.7)),
    row("map, waits once", many("map_1", 10_000), BOXES, many("map_of_boxes_1", 10_000), Some(1.15)),
    row("map, waits once", many("map_1", 10_000), FUTURES, many("map_of_futures_1", 10_000), Some(1.15)),
    row("vec, no waiting", many("vec_0", 10_000), FUTURES, many("vec_of_futures_0", 10_000), None),
    row("vec, waits once", many("vec_1", 10_000), FUTURES, many("vec_of_futures_1", 10_000), None),
    row("stack, no waiting", many("stack_0", 10_000), BOXES, many("stack_of_boxes_0", 10_000), None),
    row("stack, waits once", many("stack_1", 10_000), BOXES, many("stack_of_boxes_1", 10_000), None),
    row("reaper, 1,000, no waiting", many("reaper_0_3", 1_000), BOXES, many("reaper_of_boxes_0_3", 1_000), Some(1.2)),
    row("reaper, 10,000, no waiting", many("reaper_0_4", 10_000), BOXES, many("reaper_of_boxes_0_4", 10_000), Some(1.2)),
    row("reaper, 100,000, no waiting", many("reaper_0_5", 100_000), BOXES, many("reaper_of_boxes_0_5", 100_000), Some(1.2)),
    row("reaper, 1,000, waits once", many("reaper_1_3", 1_000), BOXES, many("reaper_of_boxes_1_3", 1_000), Some(1.5)),
    row("reaper, 10,000, waits once", many("reaper_1_4", 10_000), BOXES, many("reaper_of_boxes_1_4", 10_000), Some(1.5)),
    row("reaper, 100,000, waits once", many("reaper_1_5", 100_000), BOXES, many("reaper_of_boxes_1_5", 100_000), Some(1.5)),
];

/// Prints the table. Returns whether all bounds hold.
pub(crate) fn print(target: &Path) -> bool {
    let counts = Counts::open(target, "instructions", once("nothing"));
    let (table, all_hold) = counts.table(ROWS);
    println!("\n{table}");
    all_hold
}

/// Runs everything, for tests.
pub(crate) fn try_all() {
    for operation in [
        once::nothing,
        once::by_hand,
        once::by_hand_in_place,
        once::live,
        once::live_baseline,
        once::live_baseline_apart,
        once::live_baseline_in_place,
        once::bomb,
        once::bomb_with_flag,
        once::in_scope,
        once::in_scope_function,
        once::in_body_live,
        once::in_scope_baseline,
        once::in_scope_baseline_apart,
        once::in_scope_baseline_in_place,
        once::in_body_bomb,
        once::in_one_block_bomb,
        once::in_body_by_hand,
        once::checked,
        once::checked_again,
        once::checked_alone,
        once::checked_alone_again,
        once::checked_baseline_again,
        once::checked_baseline,
        once::checked_uncaught,
        once::with,
        once::with_function,
        once::with_baseline_in_a_block,
        once::with_baseline_borrowed,
        once::with_baseline,
        once::boxed,
        once::boxed_baseline,
        once::boxed_by_hand,
        once::boxed_peer,
        once::arc,
        once::arc_baseline,
        once::arc_peer,
        once::lock,
        once::lock_by_hand,
    ] {
        operation(2);
    }
    for cleanup in [
        many::map,
        many::map_of_boxes,
        many::map_of_futures,
        many::vec,
        many::vec_of_futures,
        many::stack,
        many::stack_of_boxes,
        many::reaper,
        many::reaper_of_boxes,
    ] {
        cleanup(2, 0)();
        cleanup(2, 1)();
    }
}
