//! The comparisons of time and allocations: the operations of the bench `instructions`, by their
//! functions.

use crate::columns::{BY_HAND, FUTURES, NO_GUARANTEE, PEER};
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

pub(crate) const ONCE: &[Pairs<Once>] = &[
    Pairs {
        operation: "`live`",
        livedrop: once::live::<0>,
        others: &[(BY_HAND, once::live_baseline::<0>), (NO_GUARANTEE, once::by_hand)],
    },
    Pairs {
        operation: "`scope!`",
        livedrop: once::in_scope::<0>,
        others: &[(BY_HAND, once::in_scope_baseline::<0>), (NO_GUARANTEE, once::in_body_by_hand)],
    },
    Pairs {
        operation: "`scope`",
        livedrop: once::in_scope_function::<0>,
        others: &[(BY_HAND, once::in_scope_baseline::<0>)],
    },
    Pairs {
        operation: "`scope!`, adopted",
        livedrop: once::in_adopted_scope::<0>,
        others: &[(NO_GUARANTEE, once::boxed_by_hand::<0>)],
    },
    Pairs {
        operation: "checked",
        livedrop: once::checked::<0>,
        others: &[(BY_HAND, once::checked_baseline::<0>)],
    },
    Pairs {
        operation: "`with_async_drop!`",
        livedrop: once::with::<0>,
        others: &[(BY_HAND, once::with_baseline::<0>)],
    },
    Pairs {
        operation: "`with_async_drop`",
        livedrop: once::with_function::<0>,
        others: &[(BY_HAND, once::with_baseline::<0>)],
    },
    Pairs {
        operation: "boxed",
        livedrop: once::boxed::<0>,
        others: &[
            (BY_HAND, once::boxed_baseline::<0>),
            (PEER, once::boxed_peer::<0>),
            (NO_GUARANTEE, once::boxed_by_hand::<0>),
        ],
    },
    Pairs {
        operation: "`AsyncDropArc`",
        livedrop: once::arc::<0>,
        others: &[(BY_HAND, once::arc_baseline::<0>), (PEER, once::arc_peer::<0>)],
    },
    Pairs {
        operation: "`AsyncDropMutex`",
        livedrop: once::lock::<0>,
        others: &[(FUTURES, once::lock_by_hand::<0>)],
    },
];

pub(crate) const MANY: &[Pairs<Many>] = &[
    Pairs {
        operation: "map",
        livedrop: many::map::<0>,
        others: &[(FUTURES, many::map_of_futures::<0>)],
    },
    Pairs {
        operation: "vec",
        livedrop: many::vec::<0>,
        others: &[(FUTURES, many::vec_of_futures::<0>)],
    },
    Pairs { operation: "stack", livedrop: many::stack, others: &[(FUTURES, many::stack_of_boxes)] },
    Pairs {
        operation: "reaper",
        livedrop: many::reaper::<0>,
        others: &[(FUTURES, many::reaper_of_boxes::<0>)],
    },
];
