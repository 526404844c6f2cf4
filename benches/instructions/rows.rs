//! The operations that are compared, and the bounds of their ratios.

use std::path::Path;

use crate::columns::{BY_HAND, FUTURES, NO_GUARANTEE, PEER};
use crate::counted::TURNS;
use crate::table::{Counted, Counts, Other, Row};
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

const fn row(operation: &'static str, livedrop: Counted, others: &'static [Other]) -> Row {
    Row { operation, livedrop, others }
}

#[rustfmt::skip] // It is a table.
const ROWS: &[Row] = &[
    row("`live`", once("live"), &[(NO_GUARANTEE, (once("by_hand"), None)), (BY_HAND, (once("live_baseline"), Some(0.6)))]),
    row("`scope!`", once("scope"), &[(NO_GUARANTEE, (once("body_by_hand"), None)), (BY_HAND, (once("scope_baseline"), Some(0.5)))]),
    row("`scope`", once("scope_function"), &[(BY_HAND, (once("scope_baseline"), Some(0.5)))]),
    row("`scope!`, adopted", once("adopted_scope"), &[(NO_GUARANTEE, (once("boxed_by_hand"), None))]),
    row("checked", once("checked"), &[(BY_HAND, (once("checked_baseline"), Some(2.0)))]),
    row("checked, not touched", once("checked_again"), &[(BY_HAND, (once("checked_baseline_again"), Some(2.0)))]),
    row("`with_async_drop!`", once("with"), &[(BY_HAND, (once("with_baseline"), Some(1.25)))]),
    row("`with_async_drop`", once("with_function"), &[(BY_HAND, (once("with_baseline"), Some(1.25)))]),
    row("boxed", once("boxed"), &[(NO_GUARANTEE, (once("boxed_by_hand"), None)), (BY_HAND, (once("boxed_baseline"), Some(1.1))), (PEER, (once("boxed_peer"), Some(1.0)))]),
    row("`AsyncDropArc`", once("arc"), &[(BY_HAND, (once("arc_baseline"), None)), (PEER, (once("arc_peer"), Some(0.46)))]),
    row("`AsyncDropMutex`", once("lock"), &[(FUTURES, (once("lock_by_hand"), None))]),
    row("map, no waiting", many("map_0", 10_000), &[(FUTURES, (many("map_of_futures_0", 10_000), Some(0.7)))]),
    row("map, waits once", many("map_1", 10_000), &[(FUTURES, (many("map_of_futures_1", 10_000), Some(1.3)))]),
    row("vec, no waiting", many("vec_0", 10_000), &[(FUTURES, (many("vec_of_futures_0", 10_000), None))]),
    row("vec, waits once", many("vec_1", 10_000), &[(FUTURES, (many("vec_of_futures_1", 10_000), None))]),
    row("stack, no waiting", many("stack_0", 10_000), &[(FUTURES, (many("stack_of_boxes_0", 10_000), None))]),
    row("stack, waits once", many("stack_1", 10_000), &[(FUTURES, (many("stack_of_boxes_1", 10_000), None))]),
    row("reaper, 1,000, no waiting", many("reaper_0_3", 1_000), &[(FUTURES, (many("reaper_of_boxes_0_3", 1_000), Some(1.25)))]),
    row("reaper, 10,000, no waiting", many("reaper_0_4", 10_000), &[(FUTURES, (many("reaper_of_boxes_0_4", 10_000), Some(1.25)))]),
    row("reaper, 100,000, no waiting", many("reaper_0_5", 100_000), &[(FUTURES, (many("reaper_of_boxes_0_5", 100_000), Some(1.25)))]),
    row("reaper, 1,000, waits once", many("reaper_1_3", 1_000), &[(FUTURES, (many("reaper_of_boxes_1_3", 1_000), Some(1.6)))]),
    row("reaper, 10,000, waits once", many("reaper_1_4", 10_000), &[(FUTURES, (many("reaper_of_boxes_1_4", 10_000), Some(1.6)))]),
    row("reaper, 100,000, waits once", many("reaper_1_5", 100_000), &[(FUTURES, (many("reaper_of_boxes_1_5", 100_000), Some(1.6)))]),
    row("`live`, alone", once_alone("live"), &[(BY_HAND, (once_alone("live_baseline"), Some(0.6)))]),
    row("`scope!`, alone", once_alone("scope"), &[(BY_HAND, (once_alone("scope_baseline"), Some(0.5)))]),
    row("`scope`, alone", once_alone("scope_function"), &[(BY_HAND, (once_alone("scope_baseline"), Some(0.5)))]),
    row("`scope!`, adopted, alone", once_alone("adopted_scope"), &[(NO_GUARANTEE, (once_alone("boxed_by_hand"), None))]),
    row("checked, alone", once_alone("checked"), &[(BY_HAND, (once_alone("checked_baseline"), Some(2.0)))]),
    row("checked, alone, two places", once_alone("checked_twice"), &[(BY_HAND, (once_alone("checked_baseline"), Some(2.0)))]),
    row("`with_async_drop!`, alone", once_alone("with"), &[(BY_HAND, (once_alone("with_baseline"), Some(1.25)))]),
    row("`with_async_drop`, alone", once_alone("with_function"), &[(BY_HAND, (once_alone("with_baseline"), Some(1.25)))]),
    row("boxed, alone", once_alone("boxed"), &[(BY_HAND, (once_alone("boxed_baseline"), Some(1.1))), (PEER, (once_alone("boxed_peer"), Some(1.0)))]),
    row("`AsyncDropArc`, alone", once_alone("arc"), &[(BY_HAND, (once_alone("arc_baseline"), None)), (PEER, (once_alone("arc_peer"), Some(0.46)))]),
    row("`AsyncDropMutex`, alone", once_alone("lock"), &[(FUTURES, (once_alone("lock_by_hand"), None))]),
    row("map, alone, no waiting", many_alone("map_0"), &[(FUTURES, (many_alone("map_of_futures_0"), Some(0.7)))]),
    row("map, alone, waits once", many_alone("map_1"), &[(FUTURES, (many_alone("map_of_futures_1"), Some(1.3)))]),
    row("vec, alone, no waiting", many_alone("vec_0"), &[(FUTURES, (many_alone("vec_of_futures_0"), None))]),
    row("vec, alone, waits once", many_alone("vec_1"), &[(FUTURES, (many_alone("vec_of_futures_1"), None))]),
    row("reaper, alone, no waiting", many_alone("reaper_0"), &[(FUTURES, (many_alone("reaper_of_boxes_0"), Some(1.25)))]),
    row("reaper, alone, waits once", many_alone("reaper_1"), &[(FUTURES, (many_alone("reaper_of_boxes_1"), Some(1.6)))]),
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
        once::live::<0>,
        once::live_baseline::<0>,
        once::in_scope::<0>,
        once::in_scope_function::<0>,
        once::in_adopted_scope::<0>,
        once::in_scope_baseline::<0>,
        once::in_body_by_hand,
        once::checked::<0>,
        once::checked_again::<0>,
        once::checked_baseline_again,
        once::checked_baseline::<0>,
        once::with::<0>,
        once::with_function::<0>,
        once::with_baseline::<0>,
        once::boxed::<0>,
        once::boxed_baseline::<0>,
        once::boxed_by_hand::<0>,
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
        many::map_of_futures::<0>,
        many::vec::<0>,
        many::vec_of_futures::<0>,
        many::stack,
        many::stack_of_boxes,
        many::reaper::<0>,
        many::reaper_of_boxes::<0>,
    ] {
        cleanup(2, 0)();
        cleanup(2, 1)();
    }
}
