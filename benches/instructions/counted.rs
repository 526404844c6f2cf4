//! The benchmarks: one a line. Its argument is made before the counting begins.

use gungraun::{library_benchmark, library_benchmark_group};

use crate::{many, once};

/// So many that the instructions outside the loop do not matter.
pub(crate) const TURNS: u64 = 10_000;

#[library_benchmark]
#[bench::nothing(once::nothing)]
#[bench::by_hand(once::by_hand)]
#[bench::by_hand_in_place(once::by_hand_in_place)]
#[bench::live(once::live)]
#[bench::live_baseline(once::live_baseline)]
#[bench::live_baseline_apart(once::live_baseline_apart)]
#[bench::live_baseline_in_place(once::live_baseline_in_place)]
#[bench::bomb(once::bomb)]
#[bench::bomb_with_flag(once::bomb_with_flag)]
#[bench::scope(once::in_scope)]
#[bench::scope_function(once::in_scope_function)]
#[bench::body_live(once::in_body_live)]
#[bench::scope_baseline(once::in_scope_baseline)]
#[bench::scope_baseline_apart(once::in_scope_baseline_apart)]
#[bench::scope_baseline_in_place(once::in_scope_baseline_in_place)]
#[bench::body_bomb(once::in_body_bomb)]
#[bench::one_block_bomb(once::in_one_block_bomb)]
#[bench::body_by_hand(once::in_body_by_hand)]
#[bench::checked(once::checked)]
#[bench::checked_again(once::checked_again)]
#[bench::checked_baseline_again(once::checked_baseline_again)]
#[bench::checked_alone(once::checked_alone)]
#[bench::checked_alone_again(once::checked_alone_again)]
#[bench::checked_baseline(once::checked_baseline)]
#[bench::checked_uncaught(once::checked_uncaught)]
#[bench::with(once::with)]
#[bench::with_function(once::with_function)]
#[bench::with_baseline_in_a_block(once::with_baseline_in_a_block)]
#[bench::with_baseline_borrowed(once::with_baseline_borrowed)]
#[bench::with_baseline(once::with_baseline)]
#[bench::boxed(once::boxed)]
#[bench::boxed_baseline(once::boxed_baseline)]
#[bench::boxed_by_hand(once::boxed_by_hand)]
#[bench::boxed_peer(once::boxed_peer)]
#[bench::arc(once::arc)]
#[bench::arc_baseline(once::arc_baseline)]
#[bench::arc_peer(once::arc_peer)]
#[bench::lock(once::lock)]
#[bench::lock_by_hand(once::lock_by_hand)]
fn once_each(operation: fn(u64)) {
    operation(TURNS);
}

library_benchmark_group!(name = one_value, benchmarks = once_each);

#[library_benchmark]
#[bench::map_0(many::map(10_000, 0))]
#[bench::map_1(many::map(10_000, 1))]
#[bench::map_of_boxes_0(many::map_of_boxes(10_000, 0))]
#[bench::map_of_boxes_1(many::map_of_boxes(10_000, 1))]
#[bench::map_of_futures_0(many::map_of_futures(10_000, 0))]
#[bench::map_of_futures_1(many::map_of_futures(10_000, 1))]
#[bench::vec_0(many::vec(10_000, 0))]
#[bench::vec_1(many::vec(10_000, 1))]
#[bench::vec_of_futures_0(many::vec_of_futures(10_000, 0))]
#[bench::vec_of_futures_1(many::vec_of_futures(10_000, 1))]
#[bench::stack_0(many::stack(10_000, 0))]
#[bench::stack_1(many::stack(10_000, 1))]
#[bench::stack_of_boxes_0(many::stack_of_boxes(10_000, 0))]
#[bench::stack_of_boxes_1(many::stack_of_boxes(10_000, 1))]
#[bench::reaper_0_3(many::reaper(1_000, 0))]
#[bench::reaper_0_4(many::reaper(10_000, 0))]
#[bench::reaper_0_5(many::reaper(100_000, 0))]
#[bench::reaper_1_3(many::reaper(1_000, 1))]
#[bench::reaper_1_4(many::reaper(10_000, 1))]
#[bench::reaper_1_5(many::reaper(100_000, 1))]
#[bench::reaper_of_boxes_0_3(many::reaper_of_boxes(1_000, 0))]
#[bench::reaper_of_boxes_0_4(many::reaper_of_boxes(10_000, 0))]
#[bench::reaper_of_boxes_0_5(many::reaper_of_boxes(100_000, 0))]
#[bench::reaper_of_boxes_1_3(many::reaper_of_boxes(1_000, 1))]
#[bench::reaper_of_boxes_1_4(many::reaper_of_boxes(10_000, 1))]
#[bench::reaper_of_boxes_1_5(many::reaper_of_boxes(100_000, 1))]
fn many_at_once(cleanup: many::Cleanup) {
    cleanup();
}

library_benchmark_group!(name = many_values, benchmarks = many_at_once);
