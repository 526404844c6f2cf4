//! The benchmarks: one a line. Its argument is made before the counting begins.

use gungraun::{library_benchmark, library_benchmark_group};

use crate::{many, once};

/// So many that the instructions outside the loop do not matter.
pub(crate) const TURNS: u64 = 10_000;

#[library_benchmark]
#[bench::nothing(once::nothing)]
#[bench::by_hand(once::by_hand)]
#[bench::live(once::live::<0>)]
#[bench::live_baseline(once::live_baseline::<0>)]
#[bench::scope(once::in_scope::<0>)]
#[bench::scope_function(once::in_scope_function::<0>)]
#[bench::adopted_scope(once::in_adopted_scope::<0>)]
#[bench::scope_baseline(once::in_scope_baseline::<0>)]
#[bench::body_by_hand(once::in_body_by_hand)]
#[bench::checked(once::checked::<0>)]
#[bench::checked_again(once::checked_again::<0>)]
#[bench::checked_baseline_again(once::checked_baseline_again)]
#[bench::checked_baseline(once::checked_baseline::<0>)]
#[bench::with(once::with::<0>)]
#[bench::with_function(once::with_function::<0>)]
#[bench::with_baseline(once::with_baseline::<0>)]
#[bench::boxed(once::boxed::<0>)]
#[bench::boxed_baseline(once::boxed_baseline::<0>)]
#[bench::boxed_by_hand(once::boxed_by_hand::<0>)]
#[bench::boxed_peer(once::boxed_peer::<0>)]
#[bench::arc(once::arc::<0>)]
#[bench::arc_baseline(once::arc_baseline::<0>)]
#[bench::arc_peer(once::arc_peer::<0>)]
#[bench::lock(once::lock::<0>)]
#[bench::lock_by_hand(once::lock_by_hand::<0>)]
fn once_each(operation: fn(u64)) {
    operation(TURNS);
}

library_benchmark_group!(name = one_value, benchmarks = once_each);

// The second shape of a program: each operation has a type of its own, and stands in one place. Only
// `checked_twice` stands in two.
#[library_benchmark]
#[bench::live(once::live::<1>)]
#[bench::live_baseline(once::live_baseline::<2>)]
#[bench::scope(once::in_scope::<3>)]
#[bench::scope_function(once::in_scope_function::<4>)]
#[bench::adopted_scope(once::in_adopted_scope::<28>)]
#[bench::scope_baseline(once::in_scope_baseline::<5>)]
#[bench::checked(once::checked::<6>)]
#[bench::checked_baseline(once::checked_baseline::<7>)]
#[bench::checked_twice(once::checked::<8>)]
#[bench::checked_twice_again(once::checked_again::<8>)]
#[bench::with(once::with::<9>)]
#[bench::with_function(once::with_function::<10>)]
#[bench::with_baseline(once::with_baseline::<11>)]
#[bench::boxed(once::boxed::<12>)]
#[bench::boxed_baseline(once::boxed_baseline::<13>)]
#[bench::boxed_peer(once::boxed_peer::<14>)]
#[bench::boxed_by_hand(once::boxed_by_hand::<29>)]
#[bench::arc(once::arc::<15>)]
#[bench::arc_baseline(once::arc_baseline::<16>)]
#[bench::arc_peer(once::arc_peer::<17>)]
#[bench::lock(once::lock::<18>)]
#[bench::lock_by_hand(once::lock_by_hand::<19>)]
fn once_alone(operation: fn(u64)) {
    operation(TURNS);
}

library_benchmark_group!(name = one_value_alone, benchmarks = once_alone);

#[library_benchmark]
#[bench::map_0(many::map::<0>(10_000, 0))]
#[bench::map_1(many::map::<0>(10_000, 1))]
#[bench::map_of_futures_0(many::map_of_futures::<0>(10_000, 0))]
#[bench::map_of_futures_1(many::map_of_futures::<0>(10_000, 1))]
#[bench::vec_0(many::vec::<0>(10_000, 0))]
#[bench::vec_1(many::vec::<0>(10_000, 1))]
#[bench::vec_of_futures_0(many::vec_of_futures::<0>(10_000, 0))]
#[bench::vec_of_futures_1(many::vec_of_futures::<0>(10_000, 1))]
#[bench::stack_0(many::stack(10_000, 0))]
#[bench::stack_1(many::stack(10_000, 1))]
#[bench::stack_of_boxes_0(many::stack_of_boxes(10_000, 0))]
#[bench::stack_of_boxes_1(many::stack_of_boxes(10_000, 1))]
#[bench::reaper_0_3(many::reaper::<0>(1_000, 0))]
#[bench::reaper_0_4(many::reaper::<0>(10_000, 0))]
#[bench::reaper_0_5(many::reaper::<0>(100_000, 0))]
#[bench::reaper_1_3(many::reaper::<0>(1_000, 1))]
#[bench::reaper_1_4(many::reaper::<0>(10_000, 1))]
#[bench::reaper_1_5(many::reaper::<0>(100_000, 1))]
#[bench::reaper_of_boxes_0_3(many::reaper_of_boxes::<0>(1_000, 0))]
#[bench::reaper_of_boxes_0_4(many::reaper_of_boxes::<0>(10_000, 0))]
#[bench::reaper_of_boxes_0_5(many::reaper_of_boxes::<0>(100_000, 0))]
#[bench::reaper_of_boxes_1_3(many::reaper_of_boxes::<0>(1_000, 1))]
#[bench::reaper_of_boxes_1_4(many::reaper_of_boxes::<0>(10_000, 1))]
#[bench::reaper_of_boxes_1_5(many::reaper_of_boxes::<0>(100_000, 1))]
fn many_at_once(cleanup: many::Cleanup) {
    cleanup();
}

library_benchmark_group!(name = many_values, benchmarks = many_at_once);

// The same for many values.
#[library_benchmark]
#[bench::map_0(many::map::<20>(10_000, 0))]
#[bench::map_1(many::map::<21>(10_000, 1))]
#[bench::map_of_futures_0(many::map_of_futures::<22>(10_000, 0))]
#[bench::map_of_futures_1(many::map_of_futures::<23>(10_000, 1))]
#[bench::vec_0(many::vec::<30>(10_000, 0))]
#[bench::vec_1(many::vec::<31>(10_000, 1))]
#[bench::vec_of_futures_0(many::vec_of_futures::<32>(10_000, 0))]
#[bench::vec_of_futures_1(many::vec_of_futures::<33>(10_000, 1))]
#[bench::reaper_0(many::reaper::<24>(10_000, 0))]
#[bench::reaper_1(many::reaper::<25>(10_000, 1))]
#[bench::reaper_of_boxes_0(many::reaper_of_boxes::<26>(10_000, 0))]
#[bench::reaper_of_boxes_1(many::reaper_of_boxes::<27>(10_000, 1))]
fn many_alone(cleanup: many::Cleanup) {
    cleanup();
}

library_benchmark_group!(name = many_values_alone, benchmarks = many_alone);
