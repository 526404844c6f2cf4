//! An ending fails, or there is more than one way to end.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use livedrop::collections::{AsyncDropHashMap, AsyncDropStack, AsyncDropVec};
use livedrop::testing::leaks;
use livedrop::{
    Adopted, AsyncDrop, AsyncDropGuard, Reaper, async_drop_all, bracket, scope, try_or_drop,
    with_async_drop,
};

use tokio::task::yield_now;

use crate::support::{
    Ending, Failed, Reports, Resource, block_on, cancel_after, created_at, run, wait,
};
use crate::{log, runtime, within_a_minute};

/// The events of an upload that the server has seen.
type Journaled = Arc<Mutex<Vec<&'static str>>>;

struct Upload {
    server: Journaled,
    /// The part that the server refuses.
    refuses: &'static str,
    aborting_fails: bool,
    committed: bool,
}

#[derive(Debug, PartialEq)]
enum UploadError {
    Refused(&'static str),
    CouldNotAbort,
}

impl Upload {
    async fn send(&mut self, part: &'static str) -> Result<(), UploadError> {
        wait(1).await;
        if part == self.refuses { Err(UploadError::Refused(part)) } else { Ok(()) }
    }

    async fn commit(&mut self) -> Result<(), UploadError> {
        self.send("commit").await?;
        self.committed = true;
        self.server.lock().unwrap().push("committed");
        Ok(())
    }
}

#[async_trait]
impl AsyncDrop for Upload {
    type Error = UploadError;

    async fn async_drop_impl(&mut self) -> Result<(), UploadError> {
        if self.committed {
            return Ok(());
        }
        wait(1).await;
        self.server.lock().unwrap().push("aborted");
        if self.aborting_fails { Err(UploadError::CouldNotAbort) } else { Ok(()) }
    }
}

#[test]
fn p9_an_upload_is_committed_or_aborted_once_and_the_first_error_survives() {
    fn upload(refuses: &'static str, aborting_fails: bool) -> (Journaled, AsyncDropGuard<Upload>) {
        let server = Journaled::default();
        let upload =
            Upload { server: Arc::clone(&server), refuses, aborting_fails, committed: false };
        (server, AsyncDropGuard::new(upload))
    }
    async fn body(upload: &mut Upload) -> Result<(), UploadError> {
        upload.send("one").await?;
        upload.send("two").await?;
        upload.commit().await
    }
    fn seen(server: &Journaled) -> Vec<&'static str> {
        server.lock().unwrap().clone()
    }

    let (server, guard) = upload("", false);
    assert_eq!(run(with_async_drop(guard, body)).1, Ok(()));
    assert_eq!(seen(&server), ["committed"]);

    for refused in ["one", "two", "commit"] {
        let (server, guard) = upload(refused, false);
        let error = UploadError::Refused(refused);
        assert_eq!(run(with_async_drop(guard, body)).1, Err(error));
        assert_eq!(seen(&server), ["aborted"]);
    }

    let reports = Reports::collect();
    let (server, guard) = upload("two", true);
    assert_eq!(run(with_async_drop(guard, body)).1, Err(UploadError::Refused("two")));
    assert_eq!(seen(&server), ["aborted"]);
    reports.expect_one("cleanup of Upload failed as well: CouldNotAbort");

    let (_, guard) = upload("two", true);
    let both = run(bracket(guard, body)).1;
    assert_eq!(both, (Err(UploadError::Refused("two")), Err(UploadError::CouldNotAbort)));
    reports.expect_none();

    // Cancel after each number of polls, in the body or during the abort.
    let polls = run(with_async_drop(upload("", false).1, body)).0;
    for polls in 0..polls {
        let (server, guard) = upload("", false);
        block_on(leaks(async |reaper| {
            cancel_after(polls, with_async_drop(reaper.adopt(guard), body));
        }));
        assert_eq!(seen(&server), ["aborted"], "after {polls} polls");
    }
}

#[test]
fn p13_every_error_of_a_cleanup_is_seen_by_somebody() {
    let (log, reports) = (log(), Reports::collect());
    let failing = || AsyncDropGuard::new(Resource::new(&log, 1, Ending::Err));

    assert_eq!(block_on(failing().async_drop()), Err(Failed), "the error is returned");

    let mut reaper = Reaper::new();
    drop(reaper.adopt(failing()));
    let mut report = block_on(reaper.drain());
    let failure = report.failures.pop().expect("the error is in the report");
    assert_eq!(failure.downcast::<Failed>().unwrap(), Failed);
    drop(reaper.adopt(failing()));
    assert_eq!(block_on(reaper.async_drop()).unwrap_err().failures.len(), 1);
    reports.expect_none();

    let result: Result<(), Failed> = block_on(with_async_drop(failing(), async |_| Err(Failed)));
    assert_eq!(result, Err(Failed));
    reports.expect_one("cleanup of Resource failed as well: Failed");
}

#[test]
fn p14_the_error_of_the_body_comes_first_and_that_of_the_cleanup_is_kept() {
    #[derive(Debug, PartialEq)]
    enum Error {
        NotFound,
        Close(Failed),
    }

    impl From<Failed> for Error {
        fn from(failed: Failed) -> Self {
            Error::Close(failed)
        }
    }

    let (log, reports) = (log(), Reports::collect());
    let value = || Resource::new(&log, 1, Ending::Err);
    let suppressed = "cleanup of Resource failed as well: Failed";

    let body = async |_: &mut Resource| Err::<(), _>(Error::NotFound);
    let result = block_on(with_async_drop(AsyncDropGuard::new(value()), body));
    assert_eq!(result, Err(Error::NotFound));
    reports.expect_one(suppressed);

    let result = block_on(scope(AsyncDropGuard::live(value()), async |guard| {
        let body = Err::<(), _>(Error::NotFound);
        guard.async_drop().await.after(body)
    }));
    assert_eq!(result, Err(Error::NotFound));
    reports.expect_one(suppressed);

    let both = block_on(bracket(AsyncDropGuard::new(value()), body));
    assert_eq!(both, (Err(Error::NotFound), Err(Failed)));
    reports.expect_none();

    let body = async |_: &mut Resource| Ok::<(), Error>(());
    let result = block_on(with_async_drop(AsyncDropGuard::new(value()), body));
    assert_eq!(result, Err(Error::Close(Failed)), "only the cleanup failed");
}

#[test]
fn p18_all_members_are_cleaned_up_although_the_first_one_fails() {
    async fn one_after_another(guards: [AsyncDropGuard<Resource>; 3]) -> Result<(), Failed> {
        let [mut first, mut second, mut third] = guards;
        first.async_drop().await?;
        second.async_drop().await?;
        third.async_drop().await
    }

    let (log, reports) = (log(), Reports::collect());
    let failing = || AsyncDropGuard::new(Resource::new(&log, 1, Ending::Err));

    assert_eq!(block_on(one_after_another([failing(), failing(), failing()])), Err(Failed));
    assert_eq!(log.counts().0, 1, "the complaint: two members were never cleaned up");
    assert_eq!(reports.take().len(), 2);

    let errors = block_on(async_drop_all((failing(), failing(), failing()))).unwrap_err();
    assert_eq!(errors.len(), 3);

    #[cfg(feature = "derive")]
    {
        #[derive(AsyncDrop)]
        struct Members {
            first: AsyncDropGuard<Resource>,
            others: Vec<AsyncDropGuard<Resource>>,
        }
        let members = Members { first: failing(), others: vec![failing(), failing()] };
        let errors = block_on(AsyncDropGuard::new(members).async_drop()).unwrap_err();
        assert_eq!(errors.len(), 3);
    }

    let mut vec = AsyncDropVec::new();
    vec.extend([failing(), failing(), failing()]);
    assert_eq!(block_on(vec.async_drop()).unwrap_err().len(), 3);

    let mut map = AsyncDropHashMap::new();
    for key in 0..3 {
        map.try_insert(key, failing()).expect("a new key");
    }
    assert_eq!(block_on(map.async_drop()).unwrap_err().len(), 3);

    let mut stack = AsyncDropStack::new();
    for _ in 0..3 {
        stack.push(failing());
    }
    assert_eq!(block_on(stack.async_drop()).unwrap_err().len(), 3);

    let derived = if cfg!(feature = "derive") { 3 } else { 0 };
    assert_eq!(log.counts(), (13 + derived, 13 + derived, 15 + derived));
    reports.expect_none();
}

#[test]
fn p19_a_guard_that_the_body_returns_survives_a_failing_cleanup() {
    let (outer, inner, reports) = (log(), log(), Reports::collect());
    let database = AsyncDropGuard::new(Resource::new(&outer, 1, Ending::Err));
    let (mut session, closed) =
        block_on(bracket(database, async |_| AsyncDropGuard::new(Resource::plain(&inner))));
    assert_eq!(closed, Err(Failed));
    assert_eq!(inner.counts(), (0, 0, 0), "the inner guard is not lost");
    block_on(session.async_drop()).unwrap();
    assert_eq!(inner.counts(), (1, 1, 1));
    reports.expect_none();
}

/// A transaction. Its cleanup aborts it.
struct Transaction {
    server: Journaled,
}

impl Transaction {
    async fn write(&mut self, refused: bool) -> Result<(), UploadError> {
        wait(1).await;
        if refused { Err(UploadError::Refused("row")) } else { Ok(()) }
    }

    async fn commit(self) -> Result<(), UploadError> {
        wait(2).await;
        self.server.lock().unwrap().push("committed");
        Ok(())
    }
}

#[async_trait]
impl AsyncDrop for Transaction {
    type Error = UploadError;

    async fn async_drop_impl(&mut self) -> Result<(), UploadError> {
        wait(1).await;
        self.server.lock().unwrap().push("aborted");
        Ok(())
    }
}

/// Forgetting both endings does not compile, nor does doing both.
#[test]
fn p21_a_transaction_is_committed_or_aborted_exactly_once() {
    async fn transfer(
        tx: AsyncDropGuard<Transaction, Adopted>,
        refused: bool,
    ) -> Result<(), UploadError> {
        scope!(tx, async |mut tx| {
            try_or_drop!(tx, tx.write(refused).await);
            tx.async_drop_via(Transaction::commit).await
        })
        .await
    }

    let begin = |reaper: &Reaper| {
        let server = Journaled::default();
        let transaction = Transaction { server: Arc::clone(&server) };
        (server, reaper.adopt(AsyncDropGuard::new(transaction)))
    };
    let seen = |server: &Journaled| server.lock().unwrap().clone();
    let mut reaper = Reaper::new();

    let (server, tx) = begin(&reaper);
    let (polls, committed) = run(transfer(tx, false));
    assert_eq!((committed, seen(&server)), (Ok(()), vec!["committed"]));

    let (server, tx) = begin(&reaper);
    assert_eq!(run(transfer(tx, true)).1, Err(UploadError::Refused("row")));
    assert_eq!(seen(&server), ["aborted"]);

    for polls in 0..polls {
        let (server, tx) = begin(&reaper);
        cancel_after(polls, transfer(tx, false));
        block_on(reaper.drain()).into_result().unwrap();
        // The first poll ends in the write, the second one in the commit.
        let expected = if polls < 2 { "aborted" } else { "committed" };
        assert_eq!(seen(&server), [expected], "after {polls} polls");
    }
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn p22_a_close_takes_arguments_and_the_value() {
    /// The texts by which the channels of a broker were closed.
    type Broker = Arc<Mutex<Vec<String>>>;

    struct Channel(Broker);

    impl Channel {
        async fn close(self, code: u16, reason: &str) -> Result<(), Failed> {
            wait(2).await;
            self.0.lock().unwrap().push(format!("{code} {reason}"));
            Ok(())
        }
    }

    #[async_trait]
    impl AsyncDrop for Channel {
        type Error = Failed;

        async fn async_drop_impl(&mut self) -> Result<(), Failed> {
            Channel(Arc::clone(&self.0)).close(500, "forgotten").await
        }
    }

    let broker = Broker::default();
    let open = || Channel(Arc::clone(&broker));
    let closed = || std::mem::take(&mut *broker.lock().unwrap());

    let channel = AsyncDropGuard::new(open());
    let (_proof, result) = block_on(channel.async_drop_via(|channel| channel.close(200, "done")));
    assert_eq!((result, closed()), (Ok(()), vec!["200 done".to_owned()]));

    // The compiler accepts it as the end of a scope.
    let body = scope(AsyncDropGuard::live(open()), async |channel| {
        channel.async_drop_via(|channel| channel.close(200, "done")).await
    });
    assert_eq!((block_on(body), closed()), (Ok(()), vec!["200 done".to_owned()]));

    // Cancelled in the middle, it is closed as it was meant to be.
    let mut reaper = Reaper::new();
    for polls in 0..3 {
        let channel = reaper.adopt(AsyncDropGuard::new(open()));
        let close = channel.async_drop_via(|channel| channel.close(200, "done"));
        cancel_after(polls, close);
        assert_eq!(block_on(reaper.drain()).cleaned, 1);
        let expected = if polls == 0 { "500 forgotten" } else { "200 done" };
        assert_eq!(closed(), [expected], "after {polls} polls");
    }
    block_on(reaper.async_drop()).unwrap();
}

#[test]
fn p26_a_failed_background_cleanup_is_told_when_it_happens() {
    within_a_minute(|| {
        runtime().block_on(async {
            let (log, reports, mut reaper) = (log(), Reports::collect(), Reaper::new());
            let running = tokio::spawn(reaper.run());
            let line = line!() + 1;
            let failing = AsyncDropGuard::new(Resource::new(&log, 1, Ending::Err));
            drop(reaper.with_label("peer 7").adopt(failing));
            // The service goes on. Nobody drains the reaper or asks for a report.
            let failed = loop {
                match reports.take_failed().pop() {
                    Some(failed) => break failed,
                    None => yield_now().await,
                }
            };
            let site = created_at(file!(), line);
            let beginning = format!("the reaper could not clean up Resource \"peer 7\"{site}");
            assert!(failed.starts_with(&beginning) && failed.ends_with(": Failed"), "{failed}");
            let report = reaper.async_drop().await.unwrap_err();
            assert_eq!(report.failures.len(), 1, "the report has it, too");
            running.await.unwrap();
        });
    });
}
