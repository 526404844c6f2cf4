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
        livedrop: once::live::<0>,
        others: &[
            (BASELINE, once::live_baseline::<0>),
            (BASELINE_IN_PLACE, once::live_baseline_in_place),
            (BASELINE_APART, once::live_baseline_apart),
            (BOMB, once::bomb),
            (BY_HAND, once::by_hand),
            (IN_PLACE, once::by_hand_in_place),
        ],
    },
    Pairs {
        operation: "`scope!`",
        livedrop: once::in_scope::<0>,
        others: &[
            (BASELINE, once::in_scope_baseline::<0>),
            (BASELINE_IN_PLACE, once::in_scope_baseline_in_place),
            (BASELINE_APART, once::in_scope_baseline_apart),
            (WITHOUT_PROOF, once::in_body_live),
            (BOMB, once::in_body_bomb),
            (BY_HAND, once::in_body_by_hand),
        ],
    },
    Pairs {
        operation: "`scope`",
        livedrop: once::in_scope_function::<0>,
        others: &[(BASELINE, once::in_scope_baseline::<0>)],
    },
    Pairs {
        operation: "checked",
        livedrop: once::checked::<0>,
        others: &[
            (BASELINE, once::checked_baseline::<0>),
            ("baseline without catch", once::checked_uncaught),
        ],
    },
    Pairs {
        operation: "`with_async_drop!`",
        livedrop: once::with::<0>,
        others: &[(BASELINE, once::with_baseline::<0>)],
    },
    Pairs {
        operation: "`with_async_drop`",
        livedrop: once::with_function::<0>,
        others: &[(BASELINE, once::with_baseline::<0>)],
    },
    Pairs {
        operation: "boxed",
        livedrop: once::boxed::<0>,
        others: &[
            (BASELINE, once::boxed_baseline::<0>),
            (PEER, once::boxed_peer::<0>),
            (BY_HAND, once::boxed_by_hand),
        ],
    },
    Pairs {
        operation: "`AsyncDropArc`",
        livedrop: once::arc::<0>,
        others: &[(BASELINE, once::arc_baseline::<0>), (PEER, once::arc_peer::<0>)],
    },
    Pairs {
        operation: "`AsyncDropMutex`",
        livedrop: once::lock::<0>,
        others: &[("`futures::lock::Mutex`", once::lock_by_hand::<0>)],
    },
];

pub(crate) const MANY: &[Pairs<Many>] = &[
    Pairs {
        operation: "map",
        livedrop: many::map::<0>,
        others: &[(BOXES, many::map_of_boxes), (FUTURES, many::map_of_futures::<0>)],
    },
    Pairs { operation: "vec", livedrop: many::vec, others: &[(FUTURES, many::vec_of_futures)] },
    Pairs { operation: "stack", livedrop: many::stack, others: &[(BOXES, many::stack_of_boxes)] },
    Pairs {
        operation: "reaper",
        livedrop: many::reaper::<0>,
        others: &[(BOXES, many::reaper_of_boxes::<0>)],
    },
];
