//! Swapping livedrop into code that uses the original pattern: `before.rs` is that code, and is not compiled.
//! `after.rs` is the same code after the swap. The edits are the difference of the two files. The other tests
//! check what the guide (`src/guide/migrating.md`) says about both.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::support::{Reports, block_on, cancel_after, wait};
use after::{Block, Closed, Fixture, FlushError, FsError, Session, Store, Waiters};
use async_trait::async_trait;
use livedrop::CleanupErrors;
use utils::async_drop::{AsyncDrop, AsyncDropArc, AsyncDropGuard, AsyncDropHashMap};

#[allow(
    deprecated,
    unreachable_pub,
    clippy::unused_async,
    reason = "old names, in code that was written as a crate"
)]
mod after;

/// The crate that had the original module.
#[allow(unreachable_pub, unused_imports, reason = "written as a crate")]
mod utils {
    pub(super) use livedrop::{with_async_drop_2, with_async_drop_2_infallible};

    /// In place of the original module.
    pub(super) mod async_drop {
        pub use livedrop::collections::*;
        pub use livedrop::sync::*;
        pub use livedrop::testing::SyncDrop;
        pub use livedrop::*;
    }

    pub(super) mod containers {
        pub use livedrop::collections::OccupiedError;

        #[derive(Debug)]
        pub enum Never {}
    }
}

fn closed_times(closed: &Closed) -> usize {
    closed.load(Ordering::SeqCst)
}

mod edits {
    const BEFORE: &str = include_str!("before.rs");
    const AFTER: &str = include_str!("after.rs");
    const GUIDE: &str = include_str!("../../../src/guide/migrating.md");

    /// Returns the changed places: each is a run of lines that differ.
    fn edits() -> Vec<(Vec<&'static str>, Vec<&'static str>)> {
        let (old, new): (Vec<_>, Vec<_>) = (BEFORE.lines().collect(), AFTER.lines().collect());
        // `common[i][j]` is the length of the longest common part of `old[i..]` and `new[j..]`.
        let mut common = vec![vec![0; new.len() + 1]; old.len() + 1];
        for i in (0..old.len()).rev() {
            for j in (0..new.len()).rev() {
                common[i][j] = if old[i] == new[j] {
                    common[i + 1][j + 1] + 1
                } else {
                    common[i + 1][j].max(common[i][j + 1])
                };
            }
        }
        let (mut i, mut j, mut edits, mut open) = (0, 0, Vec::new(), None);
        while i < old.len() || j < new.len() {
            if i < old.len() && j < new.len() && old[i] == new[j] {
                edits.extend(open.take());
                (i, j) = (i + 1, j + 1);
                continue;
            }
            let (removed, added) = open.get_or_insert_with(|| (Vec::new(), Vec::new()));
            if i < old.len() && (j == new.len() || common[i + 1][j] >= common[i][j + 1]) {
                removed.push(old[i]);
                i += 1;
            } else {
                added.push(new[j]);
                j += 1;
            }
        }
        edits.extend(open);
        edits
    }

    /// The lines of the guide's list of edits.
    fn listed() -> Vec<&'static str> {
        let section = GUIDE.split("## What to edit\n").nth(1).expect("the guide has the section");
        let list = section.split("\n## ").next().unwrap_or(section);
        list.lines().filter(|line| line.starts_with("| `")).collect()
    }

    #[test]
    fn a_swap_takes_at_most_ten() {
        let edits = edits();
        assert!(!edits.is_empty() && edits.len() <= 10, "{edits:#?}");
        for (removed, added) in &edits {
            assert_eq!((removed.len(), added.len()), (1, 1), "an edit is one line: {edits:#?}");
        }
    }

    #[test]
    fn the_guide_shows_each_of_them() {
        let (edits, listed) = (edits(), listed());
        assert_eq!(listed.len(), edits.len(), "{listed:#?}");
        assert!(GUIDE.contains(&format!("{} lines are edited", edits.len())));
        for ((removed, added), row) in edits.iter().zip(listed) {
            let [before, after, ..] = row.split(" | ").collect::<Vec<_>>()[..] else {
                panic!("a row has three columns: {row}");
            };
            for (line, cell) in [(removed[0], before), (added[0], after)] {
                let code = cell.trim_start_matches("| ").trim_matches('`').replace(r"\|", "|");
                assert!(line.contains(&code), "{code:?} is not in {line:?}");
            }
        }
    }
}

/// What works without an edit.
mod unedited {
    use super::*;

    #[test]
    fn old_names_of_the_guard_compile() {
        let closed = Closed::default();
        let names = block_on(after::conversions(&closed)).unwrap();
        assert_eq!(names, "block 2, block 3, 4");
        assert_eq!(closed_times(&closed), 3);
    }

    #[test]
    fn infallible_macro_takes_a_foreign_empty_enum() {
        assert_eq!(block_on(after::count_waiters(AsyncDropGuard::new(Waiters(3)))), 3);
    }

    #[test]
    fn macro_and_function_clean_up_after_the_body() {
        let closed = Closed::default();
        assert_eq!(block_on(after::read_twice(&closed)), Ok(10));
        assert_eq!(block_on(after::locked(&closed)), Ok(9));
        assert_eq!(closed_times(&closed), 3);
    }

    #[test]
    fn flatten_takes_five_type_arguments() {
        let closed = Closed::default();
        assert_eq!(block_on(after::open_both(2, 3, &closed)), Ok(5));
        assert_eq!(block_on(after::open_both(2, 0, &closed)), Err(FsError::NotFound));
        assert_eq!(closed_times(&closed), 3);
    }

    #[test]
    fn shared_future_is_awaited_through_its_handle() {
        let closed = Closed::default();
        assert_eq!(block_on(after::open_shared(4, &closed)), Ok(4));
        assert_eq!(block_on(after::open_shared(0, &closed)), Err(FsError::NotFound));
        assert_eq!(closed_times(&closed), 1);
    }

    #[test]
    fn arc_shares_a_value_without_sync() {
        let closed = Closed::default();
        let reads = block_on(after::reads_of_two_handles(Store::new(&closed)));
        assert_eq!((reads, closed_times(&closed)), (Ok(2), 1));
    }

    #[test]
    fn new_invalid_leaves_a_guard_that_owes_nothing() {
        let closed = Closed::default();
        let mut store = Store::new(&closed);
        block_on(store.take_journal().async_drop()).unwrap();
        block_on(store.async_drop()).unwrap();
        assert_eq!(closed_times(&closed), 1);
    }

    #[test]
    fn sync_drop_of_any_value_gives_its_guard() {
        let closed = Closed::default();
        let fixture = Fixture::new(after::guarded(Waiters(1)));
        assert!(!fixture.is_dropped());
        block_on(fixture.into_guard().async_drop()).unwrap();
        drop(Fixture::new(Block::new(1, &closed)));
        assert_eq!(closed_times(&closed), 1);
    }

    #[test]
    fn map_gives_the_refused_guard_back() {
        let closed = Closed::default();
        let mut store = Store::new(&closed);
        block_on(async {
            store.insert(Block::new(7, &closed)).await.unwrap();
            assert_eq!(store.insert(Block::new(7, &closed)).await, Err(FsError::Exists));
            assert_eq!(closed_times(&closed), 1);
            store.insert(Block::new(8, &closed)).await.unwrap();
            assert_eq!(after::by_number(&store).len(), 2);
            store.remove(8).unwrap().async_drop().await.unwrap();
            store.async_drop().await.unwrap();
        });
        assert_eq!(closed_times(&closed), 4);
    }
}

/// The behaviour that differs from the original.
mod behaviour {
    use super::*;

    /// Waits in its cleanup, and counts how often that begins.
    #[derive(Debug)]
    struct Slow(Closed);

    #[async_trait]
    impl AsyncDrop for Slow {
        type Error = FlushError;

        async fn async_drop_impl(&mut self) -> Result<(), FlushError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            wait(2).await;
            Ok(())
        }
    }

    #[test]
    fn cancelled_cleanup_is_reported() {
        let (closed, reports) = (Closed::default(), Reports::collect());
        let mut slow = AsyncDropGuard::new(Slow(Arc::clone(&closed)));
        cancel_after(1, slow.async_drop());
        drop(slow);
        reports.expect_one("async_drop on Slow was cancelled");
    }

    #[test]
    fn cancelled_cleanup_restarts_when_called_again() {
        let closed = Closed::default();
        let mut slow = AsyncDropGuard::new(Slow(Arc::clone(&closed)));
        cancel_after(1, slow.async_drop());
        block_on(slow.async_drop()).unwrap();
        assert_eq!(closed_times(&closed), 2);
    }

    #[test]
    fn restartable_cleanup_keeps_what_it_has_not_closed() {
        let closed = Closed::default();
        let connection = Some(AsyncDropGuard::new(Slow(Arc::clone(&closed))));
        let mut session = AsyncDropGuard::new(Session { connection });
        cancel_after(1, session.async_drop());
        assert!(session.connection.is_some());
        block_on(session.async_drop()).unwrap();
        assert_eq!(closed_times(&closed), 2);
    }

    #[test]
    fn second_cleanup_returns_ok() {
        let closed = Closed::default();
        let mut block = Block::broken(1, &closed);
        assert_eq!(block_on(block.async_drop()), Err(FlushError));
        assert_eq!(block_on(block.async_drop()), Ok(()));
        assert_eq!(closed_times(&closed), 1);
    }

    #[test]
    fn error_of_the_body_wins() {
        let (closed, reports) = (Closed::default(), Reports::collect());
        let block = Block::broken(1, &closed);
        let result: Result<(), FsError> =
            block_on(async { utils::with_async_drop_2!(block, { Err(FsError::NotFound) }) });
        assert_eq!(result, Err(FsError::NotFound));
        reports.expect_one("cleanup of Block failed as well");
    }

    #[test]
    fn body_that_panics_is_cleaned_up() {
        let closed = Closed::default();
        let block = Block::new(1, &closed);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            block_on(async {
                utils::with_async_drop_2!(block, {
                    assert!(block.id == 0, "body");
                    Ok::<_, FsError>(())
                })
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(closed_times(&closed), 1);
    }

    #[test]
    fn arc_into_inner_returns_the_handle() {
        let closed = Closed::default();
        let first = AsyncDropArc::new(Block::new(1, &closed));
        let mut second = AsyncDropArc::clone(&first);
        let mut first = AsyncDropArc::into_inner(first).unwrap_err();
        block_on(first.async_drop()).unwrap();
        block_on(second.async_drop()).unwrap();
        assert_eq!(closed_times(&closed), 1);
    }

    #[test]
    fn error_of_a_map_has_all_errors() {
        let closed = Closed::default();
        let mut map = AsyncDropHashMap::new();
        for id in 0..3 {
            map.try_insert(id, Block::broken(id, &closed)).unwrap();
        }
        let errors: CleanupErrors<FlushError> = block_on(map.async_drop()).unwrap_err();
        assert_eq!(errors.iter().count(), 3);
        assert_eq!(errors.into_first(), FlushError);
    }

    #[test]
    fn sync_drop_cleans_up_on_a_current_thread_runtime() {
        let closed = Closed::default();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { drop(Fixture::new(Block::new(1, &closed))) });
        assert_eq!(closed_times(&closed), 1);
    }
}

/// What the swap makes possible, behind the re-export.
mod afterwards {
    use super::*;

    #[derive(Debug, AsyncDrop)]
    #[async_drop(crate = utils::async_drop, error = FlushError, first)]
    struct Pair {
        first: AsyncDropGuard<Block>,
        second: AsyncDropGuard<Block>,
    }

    #[test]
    fn derive_works_behind_the_re_export() {
        let (closed, reports) = (Closed::default(), Reports::collect());
        let (first, second) = (Block::broken(1, &closed), Block::broken(2, &closed));
        let mut pair = AsyncDropGuard::new(Pair { first, second });
        assert_eq!(block_on(pair.async_drop()), Err(FlushError));
        assert_eq!(closed_times(&closed), 2);
        reports.expect_one("cleanup of Pair failed as well");
    }
}
