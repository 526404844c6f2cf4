//! What is compared with what, in time and in allocations: the operations of the bench
//! `instructions`, by their functions.

use crate::many::{self, Cleanup};
use crate::once;

/// An operation of the library, and the others that do the same.
pub(crate) struct Pairs<F: 'static> {
    pub(crate) operation: &'static str,
    pub(crate) livedrop: F,
    pub(crate) others: &'static [(&'static str, F)],
}

/// Does its operation so many times.
pub(crate) type Once = fn(u64);

/// Makes so many values that wait so often, to be cleaned up.
pub(crate) type Many = fn(u64, u64) -> Cleanup;

const BY_HAND: &str = "no guarantee";
const IN_PLACE: &str = "no guarantee, in place";
const TWIN: &str = "twin";
const TWIN_APART: &str = "twin, captured apart";
const TWIN_IN_PLACE: &str = "twin, in place";
const WITHOUT_PROOF: &str = "`live`, in a body";
const BOMB: &str = "bomb only";
const PEER: &str = "`async-drop-guard`";
const BOXES: &str = "boxed futures";
const FUTURES: &str = "futures";

pub(crate) const ONCE: &[Pairs<Once>] = &[
    Pairs {
        operation: "`live`",
        livedrop: once::live,
        others: &[
            (TWIN, once::live_twin),
            (TWIN_IN_PLACE, once::live_twin_in_place),
            (TWIN_APART, once::live_twin_apart),
            (BOMB, once::bomb),
            (BY_HAND, once::by_hand),
            (IN_PLACE, once::by_hand_in_place),
        ],
    },
    Pairs {
        operation: "`scope!`",
        livedrop: once::in_scope,
        others: &[
            (TWIN, once::in_scope_twin),
            (TWIN_IN_PLACE, once::in_scope_twin_in_place),
            (TWIN_APART, once::in_scope_twin_apart),
            (WITHOUT_PROOF, once::in_body_live),
            (BOMB, once::in_body_bomb),
            (BY_HAND, once::in_body_by_hand),
        ],
    },
    Pairs {
        operation: "`scope`",
        livedrop: once::in_scope_function,
        others: &[(TWIN, once::in_scope_twin)],
    },
    Pairs {
        operation: "checked",
        livedrop: once::checked,
        others: &[(TWIN, once::checked_twin), ("twin without catch", once::checked_uncaught)],
    },
    Pairs {
        operation: "`with_async_drop!`",
        livedrop: once::with,
        others: &[(TWIN, once::with_twin)],
    },
    Pairs {
        operation: "`with_async_drop`",
        livedrop: once::with_function,
        others: &[(TWIN, once::with_twin)],
    },
    Pairs {
        operation: "boxed",
        livedrop: once::boxed,
        others: &[
            (TWIN, once::boxed_twin),
            (PEER, once::boxed_peer),
            (BY_HAND, once::boxed_by_hand),
        ],
    },
    Pairs {
        operation: "`AsyncDropArc`",
        livedrop: once::arc,
        others: &[(TWIN, once::arc_twin), (PEER, once::arc_peer)],
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
