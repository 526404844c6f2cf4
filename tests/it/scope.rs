//! `scope` in real code: spawned, nested, in loops, generic, in trait methods.

use std::collections::HashMap;
use std::sync::Arc;

use crate::support::{Ending, Failed, Log, Resource, block_on, wait};
use async_trait::async_trait;
use livedrop::scope::{Proof, ScopedGuard};
use livedrop::{AsyncDrop, AsyncDropGuard, Dropped, Live, scope};

fn live(log: &Arc<Log>) -> AsyncDropGuard<Resource, Live> {
    AsyncDropGuard::live(Resource::plain(log))
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_in_a_spawned_task() {
    let log = Arc::<Log>::default();
    let guard = live(&log);
    let spawned = tokio::spawn(async move {
        let names = vec!["a".to_owned(), "b".to_owned()];
        let mut seen = 0;
        scope(guard, async |guard| {
            for name in &names {
                tokio::task::yield_now().await;
                seen += name.len() + guard.touch();
            }
            guard.async_drop().await.after(Ok::<_, Failed>(seen))
        })
        .await
    });
    assert_eq!(spawned.await.unwrap(), Ok(8));
    assert_eq!(log.counts(), (1, 1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn nested_scopes_run_in_a_spawned_task() {
    let log = Arc::<Log>::default();
    let (outer, inner) = (live(&log), live(&log));
    let sum = tokio::spawn(async move {
        scope(outer, async |outer| {
            let first = outer.touch();
            let sum = scope(inner, async |inner| {
                let sum = first + inner.touch();
                (inner.async_drop().await.proof, sum)
            })
            .await;
            (outer.async_drop().await.proof, sum)
        })
        .await
    });
    assert_eq!(sum.await.unwrap(), 6);
    assert_eq!(log.counts(), (2, 2, 2));
}

#[test]
fn body_borrows_local_variables() {
    let log = Arc::<Log>::default();
    let table = HashMap::from([("key", 1)]);
    let mut found: Vec<&i32> = Vec::new();
    block_on(scope(live(&log), async |guard| {
        found.extend(table.get("key"));
        wait(1).await;
        (guard.async_drop().await.proof, ())
    }));
    assert_eq!(found, [&1]);
}

#[test]
fn runs_in_a_loop() {
    let log = Arc::<Log>::default();
    block_on(async {
        for _ in 0..5 {
            scope(live(&log), async |guard| (guard.async_drop().await.proof, ())).await;
        }
    });
    assert_eq!(log.counts(), (5, 5, 5));
}

#[test]
fn loop_inside_the_body_may_break() {
    let log = Arc::<Log>::default();
    let rounds = block_on(scope(live(&log), async |guard| {
        let mut rounds = 0;
        loop {
            wait(1).await;
            rounds += 1;
            if rounds == guard.touch() {
                break;
            }
        }
        (guard.async_drop().await.proof, rounds)
    }));
    assert_eq!(rounds, 3);
}

#[test]
fn returns_early_with_the_proof() {
    async fn run(log: &Arc<Log>, early: bool) -> &'static str {
        scope(live(log), async |guard| {
            if early {
                return (guard.async_drop().await.proof, "early");
            }
            wait(2).await;
            (guard.async_drop().await.proof, "late")
        })
        .await
    }
    let log = Arc::<Log>::default();
    assert_eq!(block_on(run(&log, true)), "early");
    assert_eq!(block_on(run(&log, false)), "late");
    assert_eq!(log.counts(), (2, 2, 2));
}

#[test]
fn function_takes_the_guard_and_returns_the_proof() {
    async fn clean(mut guard: ScopedGuard<'_, Resource>) -> Proof<'_, Resource> {
        guard.waits = 1;
        guard.async_drop().await.proof
    }
    let log = Arc::<Log>::default();
    block_on(scope(live(&log), async |guard| (clean(guard).await, ())));
    assert_eq!(log.counts(), (1, 1, 1));
}

async fn length<T>(guard: AsyncDropGuard<T, Live>, of: impl AsyncFnOnce(&T) -> usize) -> usize
where
    T: AsyncDrop,
{
    scope(guard, async |guard| {
        let length = of(&guard).await;
        (guard.async_drop().await.proof, length)
    })
    .await
}

#[test]
fn runs_in_a_generic_function() {
    let log = Arc::<Log>::default();
    assert_eq!(block_on(length(live(&log), async |resource| resource.touch())), 3);
    assert_eq!(log.counts(), (1, 1, 1));
}

#[async_trait]
trait Store {
    async fn save(&self, text: &str) -> Result<usize, Failed>;
}

struct Disk(Arc<Log>, Ending);

#[async_trait]
impl Store for Disk {
    async fn save(&self, text: &str) -> Result<usize, Failed> {
        let file = AsyncDropGuard::live(Resource::new(&self.0, 2, self.1));
        scope(file, async |file| {
            wait(1).await;
            let written = Ok(text.len() + file.touch());
            file.async_drop().await.after(written)
        })
        .await
    }
}

#[test]
fn runs_in_an_async_trait_method() {
    let log = Arc::<Log>::default();
    assert_eq!(block_on(Disk(Arc::clone(&log), Ending::Ok).save("abc")), Ok(5));
    assert_eq!(block_on(Disk(Arc::clone(&log), Ending::Err).save("abc")), Err(Failed));
    assert_eq!(log.counts(), (2, 2, 2));
}

#[test]
fn a_value_that_borrows_can_be_guarded() {
    struct Session<'a>(&'a mut String);

    #[async_trait]
    impl AsyncDrop for Session<'_> {
        type Error = Failed;
        async fn async_drop_impl(&mut self) -> Result<(), Failed> {
            self.0.push_str(" closed");
            Ok(())
        }
    }

    let mut text = "session".to_owned();
    let guard = AsyncDropGuard::live(Session(&mut text));
    let length = block_on(scope(guard, async |session| {
        let length = session.0.len();
        (session.async_drop().await.proof, length)
    }));
    assert_eq!((length, text.as_str()), (7, "session closed"));
}

#[test]
fn function_can_require_an_unscoped_guards_proof() {
    fn delete_after(_proof: AsyncDropGuard<Resource, Dropped>, path: &str) -> String {
        format!("deleted {path}")
    }
    let log = Arc::<Log>::default();
    let proof = block_on(live(&log).async_drop()).into_result().unwrap();
    assert_eq!(delete_after(proof, "a"), "deleted a");
}

mod in_the_macro {
    use super::*;

    /// The macro searches the body for early exits, to choose the compiler's message.
    #[test]
    fn finds_question_mark_and_return_at_any_depth() {
        use livedrop::scope::leaves_by_try;
        assert!(leaves_by_try(stringify!({
            let sum = [1, of(number?)];
            sum
        })));
        assert!(!leaves_by_try(stringify!({})));
        assert!(!leaves_by_try(stringify!({
            let sum = [1, of(number)];
            return sum;
        })));
        assert!(!leaves_by_try(stringify!({ if is_over? { return sum } else { (sum, 1) } })));
    }

    #[test]
    fn finds_question_mark_and_return_at_every_distance() {
        use livedrop::scope::leaves_by_try;
        for distance in 0..40 {
            let text = "r".repeat(distance);
            assert!(leaves_by_try(&format!("{text}?")), "{distance}");
            assert!(leaves_by_try(&format!("{text}? {text}")), "{distance}");
            assert!(!leaves_by_try(&text), "{distance}");
            assert!(!leaves_by_try(&format!("? {text}return{text}")), "{distance}");
        }
    }

    #[test]
    fn long_body_is_not_searched() {
        use livedrop::scope::leaves_by_try;
        assert!(leaves_by_try(&format!("?{}", " ".repeat(4095))));
        assert!(!leaves_by_try(&format!("?{}", " ".repeat(4096))));
    }

    #[test]
    fn question_mark_in_a_string_changes_nothing() {
        let log = Arc::<Log>::default();
        let length = block_on(scope!(live(&log), async |guard| {
            let sql = "select name from users where id = ?";
            guard.touch();
            let length: usize = livedrop::try_or_drop!(guard, Ok::<_, Failed>(sql.len()));
            guard.async_drop().await.after(Ok::<_, Failed>(length))
        }));
        assert_eq!(length, Ok(35));
        assert_eq!(log.counts(), (1, 1, 1));
    }

    /// A `?` leaves the innermost async block or closure, which need not be the body.
    #[test]
    fn question_mark_in_inner_block_stays_in_scope() {
        async fn run(log: Arc<Log>, text: &str) -> Result<usize, Failed> {
            scope!(live(&log), async |guard| {
                let result =
                    async { Ok(guard.touch() + text.parse::<usize>().map_err(|_| Failed)?) };
                let result = result.await;
                guard.async_drop().await.after(result)
            })
            .await
        }
        let log = Arc::<Log>::default();
        assert_eq!(block_on(run(Arc::clone(&log), "2")), Ok(5));
        assert_eq!(block_on(run(Arc::clone(&log), "two")), Err(Failed));
        assert_eq!(log.counts(), (2, 2, 2));
    }

    #[test]
    fn return_with_the_proof_beside_it_compiles() {
        async fn run(log: Arc<Log>, text: &str) -> Result<usize, Failed> {
            scope!(live(&log), async |guard| {
                let parse = || Some(text.parse::<usize>().ok()? + 1);
                let Some(number) = parse() else {
                    return guard.async_drop().await.after(Err(Failed));
                };
                let sum = number + guard.touch();
                guard.async_drop().await.after(Ok(sum))
            })
            .await
        }
        let log = Arc::<Log>::default();
        assert_eq!(block_on(run(Arc::clone(&log), "2")), Ok(6));
        assert_eq!(block_on(run(Arc::clone(&log), "two")), Err(Failed));
        assert_eq!(log.counts(), (2, 2, 2));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn runs_nested_in_a_spawned_task_with_borrows() {
        async fn run(log: Arc<Log>, early: bool) -> Result<usize, Failed> {
            let name = "name".to_owned();
            scope!(live(&log), async |mut outer| {
                outer.waits = 1;
                if early {
                    return outer.async_drop().await.after(Ok(0));
                }
                let sum = scope!(live(&log), async |inner| {
                    tokio::task::yield_now().await;
                    let sum = name.len() + inner.touch();
                    (inner.async_drop().await.proof, sum)
                })
                .await;
                outer.async_drop().await.after(Ok(sum))
            })
            .await
        }
        let log = Arc::<Log>::default();
        assert_eq!(tokio::spawn(run(Arc::clone(&log), false)).await.unwrap(), Ok(7));
        assert_eq!(tokio::spawn(run(Arc::clone(&log), true)).await.unwrap(), Ok(0));
        assert_eq!(log.counts(), (3, 3, 3));
    }

    #[test]
    fn takes_an_expression_for_its_body() {
        let log = Arc::<Log>::default();
        block_on(scope!(live(&log), async |guard| (guard.async_drop().await.proof, ())));
        assert_eq!(log.counts(), (1, 1, 1));
    }

    async fn in_a_generic_function<T: AsyncDrop>(guard: AsyncDropGuard<T, Live>) -> bool {
        scope!(guard, async |guard| {
            let outcome = guard.async_drop().await;
            (outcome.proof, outcome.result.is_ok())
        })
        .await
    }

    #[test]
    fn runs_in_a_generic_function() {
        let log = Arc::<Log>::default();
        assert!(block_on(in_a_generic_function(live(&log))));
    }
}
