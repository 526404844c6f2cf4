//! A value that counts its cleanups and may hold any guard, and the clock of its waits.

use std::cell::Cell;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::BoxFuture;
use livedrop::state::Cleanable;
use livedrop::{AsyncDrop, AsyncDropGuard};

use crate::program::{self, Ending, In, KeyIn, Spec};
use crate::statement::Id;

/// The counts of one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub begun: usize,
    /// With any result.
    pub ended: usize,
    pub dropped: usize,
    /// The futures of `async_drop_via`.
    pub via_begun: usize,
    pub via_ended: usize,
}

/// What a value notes in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Begun(Id),
    /// With any result.
    Ended(Id),
}

/// The state that all values of a program share.
#[derive(Default)]
pub struct World {
    now: AtomicUsize,
    waiting: Mutex<Vec<Waker>>,
    values: Mutex<Vec<Seen>>,
    /// The cleanups of values that began and ended, in this order.
    pub log: Mutex<Vec<Event>>,
    /// Errors, panics and reports, which name the values whose cleanup failed.
    pub messages: Mutex<String>,
}

impl World {
    pub fn seen(&self, id: Id) -> Seen {
        self.values.lock().unwrap().get(id).copied().unwrap_or_default()
    }

    fn begin(&self, id: Id) {
        self.note(id, |seen| seen.begun += 1);
        self.log.lock().unwrap().push(Event::Begun(id));
    }

    fn end(&self, id: Id) {
        self.note(id, |seen| seen.ended += 1);
        self.log.lock().unwrap().push(Event::Ended(id));
    }

    fn note(&self, id: Id, note: impl FnOnce(&mut Seen)) {
        let mut values = self.values.lock().unwrap();
        if values.len() <= id {
            values.resize(id + 1, Seen::default());
        }
        note(&mut values[id]);
    }

    pub fn push_message(&self, text: &str) {
        let mut messages = self.messages.lock().unwrap();
        messages.push_str(text);
        messages.push('\n');
    }

    /// Advances the clock by one, and polls the future until it waits for the next advance.
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

    /// Is pending for this many advances of the clock.
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

/// The values whose cleanup failed. `Debug` prints `#` and the number of each.
pub struct Failures {
    ids: Vec<Id>,
    panics: In,
}

impl Failures {
    pub fn of(id: Id) -> Self {
        Self { ids: vec![id], panics: In::Nothing }
    }
}

impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.ids.iter().map(|id| format!("#{id}")).collect();
        let text = numbers.join(" ");
        assert!(self.panics != In::ErrorDebug, "{text}");
        f.write_str(&text)
    }
}

impl Drop for Failures {
    fn drop(&mut self) {
        let panics = self.panics == In::ErrorDrop && may_panic();
        assert!(!panics, "in the error's `Drop`");
    }
}

thread_local! {
    /// Whether a container is dropped, which catches every panic while the thread is panicking.
    static IN_A_CONTAINER: Cell<bool> = const { Cell::new(false) };
    /// Whether a `Live` guard is cleaned up alone. It does not catch a second panic.
    static ALONE: Cell<bool> = const { Cell::new(false) };
}

/// Whether the `Drop` of a value, a key or an error may panic: as in plain Rust, a second panic would abort.
fn may_panic() -> bool {
    !std::thread::panicking() || IN_A_CONTAINER.get()
}

/// Drops a container. Foreign code in it panics, even if the thread is panicking.
pub fn drop_container(container: impl Sized) {
    IN_A_CONTAINER.set(true);
    drop(container);
    IN_A_CONTAINER.set(false);
}

/// Sets whether the next cleanup is that of a `Live` guard alone.
pub fn set_alone(alone: bool) {
    ALONE.set(alone);
}

/// The text of an error, or of the panic of its `Debug`.
pub fn text(error: &dyn fmt::Debug) -> String {
    catch_unwind(AssertUnwindSafe(|| format!("{error:?}")))
        .unwrap_or_else(|payload| *payload.downcast::<String>().expect("the text of an error"))
}

/// Drops an error, whose `Drop` may panic.
pub fn drop_caught(error: impl Sized) {
    let _panic = catch_unwind(AssertUnwindSafe(|| drop(error)));
}

/// What the message of a panic of the `Drop` of a value contains.
pub const DROPPED: &str = "in its `Drop`";

/// The key of a map.
pub struct Key(pub program::Key);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        let is_equal = self.0.number == other.0.number;
        let panics = [self.0.panics, other.0.panics].contains(&KeyIn::Eq);
        assert!(!(is_equal && panics), "the key panicked in its `Eq`");
        is_equal
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        assert!(self.0.panics != KeyIn::Hash, "the key panicked in its `Hash`");
        self.0.number.hash(state);
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        let panics = self.0.panics == KeyIn::Drop && may_panic();
        assert!(!panics, "the key panicked {DROPPED}");
    }
}

/// The values that a text names, one item for each mention.
pub fn named_in(text: &str) -> impl Iterator<Item = Id> {
    text.split('#').skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse().expect("every `#` is followed by a number")
    })
}

pub struct Value {
    id: Id,
    spec: Spec,
    inner: Option<Box<dyn Obligation>>,
    /// The failures found by a cleanup that was cancelled.
    failures: Vec<Id>,
    cleanup_panicked: bool,
    world: Arc<World>,
}

impl Value {
    pub fn new(world: &Arc<World>, id: Id, spec: Spec, inner: Option<Box<dyn Obligation>>) -> Self {
        let (failures, world) = (Vec::new(), Arc::clone(world));
        Self { id, spec, inner, failures, cleanup_panicked: false, world }
    }

    /// Makes another value, which holds the same guard.
    pub fn remake(mut self, id: Id, spec: Spec) -> Self {
        let inner = self.inner.take();
        // rustc leaks a returned value if a drop panics then.
        self.spec.panics = In::Nothing;
        Self::new(&self.world, id, spec, inner)
    }
}

#[async_trait]
impl AsyncDrop for Value {
    type Error = Failures;

    async fn async_drop_impl(&mut self) -> Result<(), Failures> {
        let (id, world) = (self.id, Arc::clone(&self.world));
        world.begin(id);
        world.wait(self.spec.waits).await;
        if self.spec.ending == Ending::Panics {
            world.end(id);
            self.cleanup_panicked = true;
            panic!("#{id} panicked");
        }
        if let Some(inner) = &mut self.inner {
            match AssertUnwindSafe(inner.clean()).catch_unwind().await {
                Ok(failures) => self.failures.extend(failures),
                Err(payload) => {
                    world.end(id);
                    resume_unwind(payload);
                }
            }
        }
        world.end(id);
        if self.spec.ending == Ending::Fails {
            self.failures.push(id);
        }
        let failures = std::mem::take(&mut self.failures);
        let panics = self.spec.panics;
        if failures.is_empty() { Ok(()) } else { Err(Failures { ids: failures, panics }) }
    }
}

/// Ends the guard with this number by other means than its cleanup.
pub fn ending<T: Send + 'static>(
    world: &Arc<World>,
    id: Id,
    spec: Spec,
) -> impl FnOnce(T) -> BoxFuture<'static, Result<(), Failures>> + use<T> {
    let world = Arc::clone(world);
    let end = move |world: &World| {
        world.note(id, |seen| seen.via_ended += 1);
        assert!(spec.ending != Ending::Panics, "#{id} panicked");
    };
    move |value| {
        world.note(id, |seen| seen.via_begun += 1);
        if spec.waits == 0 && spec.ending == Ending::Panics {
            // Before there is a future.
            end(&world);
        }
        Box::pin(async move {
            world.wait(spec.waits).await;
            end(&world);
            // Dropped before the error is made: rustc leaks a returned value if a drop panics then.
            drop(value);
            if spec.ending == Ending::Fails { Err(Failures::of(id)) } else { Ok(()) }
        })
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.world.note(self.id, |seen| seen.dropped += 1);
        let ids = std::mem::take(&mut self.failures);
        self.world.push_message(&text(&Failures { ids, panics: In::Nothing }));
        let is_second = self.cleanup_panicked && !ALONE.get();
        let panics = self.spec.panics == In::Drop && (is_second || may_panic());
        assert!(!panics, "#{} panicked {DROPPED}", self.id);
    }
}

/// A guard of any type in any state, which is cleaned up in place.
pub trait Obligation: Send + Sync {
    /// Returns the values whose cleanup failed.
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
            let Err(error) = result else { return Vec::new() };
            let failures = named_in(&text(&error)).collect();
            drop_caught(error);
            failures
        })
    }
}
