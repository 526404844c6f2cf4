//! A value that keeps account of its cleanup, and may hold any guard; the clock that it waits on.

use std::fmt;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::BoxFuture;
use livedrop::state::Cleanable;
use livedrop::{AsyncDrop, AsyncDropGuard};

use crate::program::{Ending, Spec};
use crate::statement::Id;

/// What was seen of one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub begun: usize,
    /// With whatever result.
    pub ended: usize,
    pub dropped: usize,
}

/// What all values of a program have in common.
#[derive(Default)]
pub struct World {
    now: AtomicUsize,
    waiting: Mutex<Vec<Waker>>,
    values: Mutex<Vec<Seen>>,
    /// Whatever names a value whose cleanup went wrong: errors, panics, reports.
    pub said: Mutex<String>,
}

impl World {
    pub fn seen(&self, id: Id) -> Seen {
        self.values.lock().unwrap().get(id).copied().unwrap_or_default()
    }

    fn note(&self, id: Id, note: impl FnOnce(&mut Seen)) {
        let mut values = self.values.lock().unwrap();
        if values.len() <= id {
            values.resize(id + 1, Seen::default());
        }
        note(&mut values[id]);
    }

    pub fn say(&self, text: &str) {
        let mut said = self.said.lock().unwrap();
        said.push_str(text);
        said.push('\n');
    }

    /// The time goes on by one, and the future is polled until it waits for that to happen again.
    pub fn poll<F: Future + ?Sized>(&self, mut future: Pin<&mut F>) -> Poll<F::Output> {
        self.now.fetch_add(1, SeqCst);
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap());
        waiting.into_iter().for_each(Waker::wake);
        let woken = Arc::<Woken>::default();
        let waker = Waker::from(Arc::clone(&woken));
        for _ in 0..1_000 {
            let poll = future.as_mut().poll(&mut Context::from_waker(&waker));
            if poll.is_ready() || !woken.0.swap(false, SeqCst) {
                return poll;
            }
        }
        panic!("the library wakes itself forever")
    }

    /// Is pending at so many points of the time at which it is polled.
    pub fn wait(&self, times: u8) -> impl Future<Output = ()> + use<'_> {
        let (mut left, mut last) = (times, None);
        std::future::poll_fn(move |cx| {
            let now = self.now.load(SeqCst);
            if last.replace(now).is_some_and(|last| last != now) {
                left -= 1;
            }
            if left == 0 {
                return Poll::Ready(());
            }
            self.waiting.lock().unwrap().push(cx.waker().clone());
            Poll::Pending
        })
    }
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

/// What went wrong in a cleanup: each `#` and number stands for one value.
pub struct Wrong(pub Vec<Id>);

impl fmt::Debug for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|id| write!(f, "#{id} "))
    }
}

/// The values that a text names, as often as it does.
pub fn named_in(text: &str) -> impl Iterator<Item = Id> {
    text.split('#').skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse().expect("a number stands behind every `#`")
    })
}

pub struct Value {
    id: Id,
    spec: Spec,
    inner: Option<Box<dyn Obligation>>,
    /// What went wrong in a cleanup that was left since.
    wrong: Vec<Id>,
    world: Arc<World>,
}

impl Value {
    pub fn new(world: &Arc<World>, id: Id, spec: Spec, inner: Option<Box<dyn Obligation>>) -> Self {
        Self { id, spec, inner, wrong: Vec::new(), world: Arc::clone(world) }
    }
}

#[async_trait]
impl AsyncDrop for Value {
    type Error = Wrong;

    async fn async_drop_impl(&mut self) -> Result<(), Wrong> {
        let (id, world) = (self.id, Arc::clone(&self.world));
        world.note(id, |seen| seen.begun += 1);
        world.wait(self.spec.waits).await;
        if self.spec.ending == Ending::Panics {
            world.note(id, |seen| seen.ended += 1);
            panic!("#{id} panicked");
        }
        if let Some(inner) = &mut self.inner {
            match AssertUnwindSafe(inner.clean()).catch_unwind().await {
                Ok(wrong) => self.wrong.extend(wrong),
                Err(payload) => {
                    world.note(id, |seen| seen.ended += 1);
                    resume_unwind(payload);
                }
            }
        }
        world.note(id, |seen| seen.ended += 1);
        if self.spec.ending == Ending::Fails {
            self.wrong.push(id);
        }
        let wrong = std::mem::take(&mut self.wrong);
        if wrong.is_empty() { Ok(()) } else { Err(Wrong(wrong)) }
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.world.note(self.id, |seen| seen.dropped += 1);
        self.world.say(&format!("{:?}", Wrong(std::mem::take(&mut self.wrong))));
    }
}

/// A guard of anything in any state, cleaned up where it is.
pub trait Obligation: Send + Sync {
    /// Returns what went wrong.
    fn clean(&mut self) -> BoxFuture<'_, Vec<Id>>;
}

impl<T, S> Obligation for Option<AsyncDropGuard<T, S>>
where
    T: AsyncDrop,
    S: Cleanable<T, Slot<T>: Sync>,
{
    fn clean(&mut self) -> BoxFuture<'_, Vec<Id>> {
        Box::pin(async move {
            let result = self.async_drop_unboxed().await;
            result
                .err()
                .iter()
                .flat_map(|e| named_in(&format!("{e:?}")).collect::<Vec<_>>())
                .collect()
        })
    }
}
