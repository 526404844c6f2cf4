//! The comparisons of time and allocations: the operations of the bench `instructions`, by their
//! functions.

use crate::many::{self, Cleanup};
use crate::once;

/// An operation of the library, and other code that does the same.
pub(crate) struct Pairs<F: 'static> {
    pub(crate) operation: &'static str,
    pub(crate) livedrop: F,
    pub(crate) others: &'static [(&'static str, F)],
}

/// Repeats its operation this many times.
pub(crate) type Once = fn(u64);

/// Makes this many values, whose cleanups wait this many times.
pub(crate) type Many = fn(u64, u64) -> Cleanup;

const BY_HAND: &str = "no guarantee";
const IN_PLACE: &str = "no guarantee, in place";
const BASELINE: &str = "baseline";
const BASELINE_APART: &str = "baseline, captured apart";
const BASELINE_IN_PLACE: &str = "baseline, in place";
const WITHOUT_PROOF: &str = "`live`, in a body";
const BOMB: &str = "drop bomb only";
const PEER: &str = "`async-drop-guard`";
const BOXES: &str = "boxed futures";
const FUTURES: &str = "futures";

pub(crate) const ONCE: &[Pairs<Once>] = &[
    Pairs {
        operation: "`live`",
        livedrop: once::live,
        others: &[
            (BASELINE, once::live_baseline),
            (BASELINE_IN_PLACE, once::live_baseline_in_place),
            (BASELINE_APART, once::live_baseline_apart),
            (BOMB, once::bomb),
            (BY_HAND, once::by_hand),
            (IN_PLACE, once::by_hand_in_place),
        ],
    },
    Pairs {
        operation: "`scope!`",
        livedrop: once::in_scope,
        others: &[
            (BASELINE, once::in_scope_baseline),
            (BASELINE_IN_PLACE, once::in_scope_baseline_in_place),
            (BASELINE_APART, once::in_scope_baseline_apart),
            (WITHOUT_PROOF, once::in_body_live),
            (BOMB, once::in_body_bomb),
            (BY_HAND, once::in_body_by_hand),
        ],
    },
    Pairs {
        operation: "`scope`",
        livedrop: once::in_scope_function,
        others: &[(BASELINE, once::in_scope_baseline)],
    },
    Pairs {
        operation: "checked",
        livedrop: once::checked,
        others: &[
            (BASELINE, once::checked_baseline),
            ("baseline without catch", once::checked_uncaught),
        ],
    },
    Pairs {
        operation: "`with_async_drop!`",
        livedrop: once::with,
        others: &[(BASELINE, once::with_baseline)],
    },
    Pairs {
        operation: "`with_async_drop`",
        livedrop: once::with_function,
        others: &[(BASELINE, once::with_baseline)],
    },
    Pairs {
        operation: "boxed",
        livedrop: once::boxed,
        others: &[
            (BASELINE, once::boxed_baseline),
            (PEER, once::boxed_peer),
            (BY_HAND, once::boxed_by_hand),
        ],
    },
    Pairs {
        operation: "`AsyncDropArc`",
        livedrop: once::arc,
        others: &[(BASELINE, once::arc_baseline), (PEER, once::arc_peer)],
    },
    Pairs {
        operation: "`AsyncDropMutex`",
        livedrop: once::lock,
        others: &[("`futures::lock::Mutex`", once::lock_by_hand)],
    },
];

pub(crate) const MANY: &[Pairs<Many>] = &[
    Pairs {
        operation: "map",
        livedrop: many::map,
        others: &[(BOXES, many::map_of_boxes), (FUTURES, many::map_of_futures)],
    },
    Pairs { operation: "vec", livedrop: many::vec, others: &[(FUTURES, many::vec_of_futures)] },
    Pairs { operation: "stack", livedrop: many::stack, others: &[(BOXES, many::stack_of_boxes)] },
    Pairs {
        operation: "reaper",
        livedrop: many::reaper,
        others: &[(BOXES, many::reaper_of_boxes)],
    },
];
