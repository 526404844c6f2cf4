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

const fn once_alone(id: &'static str) -> Counted {
    Counted { group: "one_value_alone", function: "once_alone", ..once(id) }
}

const fn many_alone(id: &'static str) -> Counted {
    Counted { group: "many_values_alone", function: "many_alone", ..many(id, 10_000) }
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
    row("checked", once("checked"), BASELINE, once("checked_baseline"), Some(2.0)),
    row("checked, not touched", once("checked_again"), BASELINE, once("checked_baseline_again"), Some(2.0)),
    row("checked", once("checked"), "baseline without catch", once("checked_uncaught"), None),
    row("`with_async_drop!`", once("with"), BASELINE, once("with_baseline"), Some(1.25)),
    row("`with_async_drop`", once("with_function"), BASELINE, once("with_baseline"), Some(1.25)),
    row("`with_async_drop!`", once("with"), "baseline, in a block", once("with_baseline_in_a_block"), None),
    row("`with_async_drop!`", once("with"), "baseline, guard borrowed", once("with_baseline_borrowed"), None),
    row("boxed", once("boxed"), BASELINE, once("boxed_baseline"), Some(1.1)),
    row("boxed", once("boxed"), PEER, once("boxed_peer"), Some(1.0)),
    row("boxed", once("boxed"), "no guarantee", once("boxed_by_hand"), None),
    row("`AsyncDropArc`", once("arc"), BASELINE, once("arc_baseline"), None),
    row("`AsyncDropArc`", once("arc"), PEER, once("arc_peer"), Some(0.46)),
    row("`AsyncDropMutex`", once("lock"), "`futures::lock::Mutex`", once("lock_by_hand"), None),
    row("map, no waiting", many("map_0", 10_000), BOXES, many("map_of_boxes_0", 10_000), Some(0.7)),
    row("map, no waiting", many("map_0", 10_000), FUTURES, many("map_of_futures_0", 10_000), Some(0.7)),
    row("map, waits once", many("map_1", 10_000), BOXES, many("map_of_boxes_1", 10_000), Some(1.3)),
    row("map, waits once", many("map_1", 10_000), FUTURES, many("map_of_futures_1", 10_000), Some(1.3)),
    row("vec, no waiting", many("vec_0", 10_000), FUTURES, many("vec_of_futures_0", 10_000), None),
    row("vec, waits once", many("vec_1", 10_000), FUTURES, many("vec_of_futures_1", 10_000), None),
    row("stack, no waiting", many("stack_0", 10_000), BOXES, many("stack_of_boxes_0", 10_000), None),
    row("stack, waits once", many("stack_1", 10_000), BOXES, many("stack_of_boxes_1", 10_000), None),
    row("reaper, 1,000, no waiting", many("reaper_0_3", 1_000), BOXES, many("reaper_of_boxes_0_3", 1_000), Some(1.25)),
    row("reaper, 10,000, no waiting", many("reaper_0_4", 10_000), BOXES, many("reaper_of_boxes_0_4", 10_000), Some(1.25)),
    row("reaper, 100,000, no waiting", many("reaper_0_5", 100_000), BOXES, many("reaper_of_boxes_0_5", 100_000), Some(1.25)),
    row("reaper, 1,000, waits once", many("reaper_1_3", 1_000), BOXES, many("reaper_of_boxes_1_3", 1_000), Some(1.6)),
    row("reaper, 10,000, waits once", many("reaper_1_4", 10_000), BOXES, many("reaper_of_boxes_1_4", 10_000), Some(1.6)),
    row("reaper, 100,000, waits once", many("reaper_1_5", 100_000), BOXES, many("reaper_of_boxes_1_5", 100_000), Some(1.6)),
    row("`live`, alone", once_alone("live"), BASELINE, once_alone("live_baseline"), Some(0.6)),
    row("`scope!`, alone", once_alone("scope"), BASELINE, once_alone("scope_baseline"), Some(0.5)),
    row("`scope`, alone", once_alone("scope_function"), BASELINE, once_alone("scope_baseline"), Some(0.5)),
    row("checked, alone", once_alone("checked"), BASELINE, once_alone("checked_baseline"), Some(2.0)),
    row("checked, alone, two places", once_alone("checked_twice"), BASELINE, once_alone("checked_baseline"), Some(2.0)),
    row("`with_async_drop!`, alone", once_alone("with"), BASELINE, once_alone("with_baseline"), Some(1.25)),
    row("`with_async_drop`, alone", once_alone("with_function"), BASELINE, once_alone("with_baseline"), Some(1.25)),
    row("boxed, alone", once_alone("boxed"), BASELINE, once_alone("boxed_baseline"), Some(1.1)),
    row("boxed, alone", once_alone("boxed"), PEER, once_alone("boxed_peer"), Some(1.0)),
    row("`AsyncDropArc`, alone", once_alone("arc"), BASELINE, once_alone("arc_baseline"), None),
    row("`AsyncDropArc`, alone", once_alone("arc"), PEER, once_alone("arc_peer"), Some(0.46)),
    row("`AsyncDropMutex`, alone", once_alone("lock"), "`futures::lock::Mutex`", once_alone("lock_by_hand"), None),
    row("map, alone, no waiting", many_alone("map_0"), FUTURES, many_alone("map_of_futures_0"), Some(0.7)),
    row("map, alone, waits once", many_alone("map_1"), FUTURES, many_alone("map_of_futures_1"), Some(1.3)),
    row("reaper, alone, no waiting", many_alone("reaper_0"), BOXES, many_alone("reaper_of_boxes_0"), Some(1.25)),
    row("reaper, alone, waits once", many_alone("reaper_1"), BOXES, many_alone("reaper_of_boxes_1"), Some(1.6)),
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
        once::live::<0>,
        once::live_baseline::<0>,
        once::live_baseline_apart,
        once::live_baseline_in_place,
        once::bomb,
        once::bomb_with_flag,
        once::in_scope::<0>,
        once::in_scope_function::<0>,
        once::in_body_live,
        once::in_scope_baseline::<0>,
        once::in_scope_baseline_apart,
        once::in_scope_baseline_in_place,
        once::in_body_bomb,
        once::in_one_block_bomb,
        once::in_body_by_hand,
        once::checked::<0>,
        once::checked_again::<0>,
        once::checked_baseline_again,
        once::checked_baseline::<0>,
        once::checked_uncaught,
        once::with::<0>,
        once::with_function::<0>,
        once::with_baseline_in_a_block,
        once::with_baseline_borrowed,
        once::with_baseline::<0>,
        once::boxed::<0>,
        once::boxed_baseline::<0>,
        once::boxed_by_hand,
        once::boxed_peer::<0>,
        once::arc::<0>,
        once::arc_baseline::<0>,
        once::arc_peer::<0>,
        once::lock::<0>,
        once::lock_by_hand::<0>,
    ] {
        operation(2);
    }
    for cleanup in [
        many::map::<0>,
        many::map_of_boxes,
        many::map_of_futures::<0>,
        many::vec,
        many::vec_of_futures,
        many::stack,
        many::stack_of_boxes,
        many::reaper::<0>,
        many::reaper_of_boxes::<0>,
    ] {
        cleanup(2, 0)();
        cleanup(2, 1)();
    }
}
