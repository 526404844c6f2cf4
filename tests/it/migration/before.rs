//! A block store with the names and the shape of the original pattern. The tests use it.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::utils::async_drop::{
    AsyncDrop, AsyncDropArc, AsyncDropGuard, AsyncDropHashMap, AsyncDropResult, AsyncDropShared,
    AsyncDropTokioMutex, SyncDrop, flatten_async_drop, with_async_drop,
};
use super::utils::containers::{Never, OccupiedError};
use super::utils::{with_async_drop_2, with_async_drop_2_infallible};

#[derive(Debug, PartialEq)]
pub enum FsError {
    NotFound,
    Exists,
    Flush(FlushError),
}

#[derive(Debug, PartialEq)]
pub struct FlushError;

impl From<FlushError> for FsError {
    fn from(error: FlushError) -> Self {
        FsError::Flush(error)
    }
}

/// Counts the cleanups.
pub type Closed = Arc<AtomicUsize>;

#[derive(Debug)]
pub struct Block {
    pub id: u64,
    pub closed: Closed,
    pub fails: bool,
}

impl Block {
    pub fn new(id: u64, closed: &Closed) -> AsyncDropGuard<Self> {
        AsyncDropGuard::new(Self { id, closed: Arc::clone(closed), fails: false })
    }

    pub fn broken(id: u64, closed: &Closed) -> AsyncDropGuard<Self> {
        AsyncDropGuard::new(Self { id, closed: Arc::clone(closed), fails: true })
    }

    pub async fn open(id: u64, closed: &Closed) -> Result<AsyncDropGuard<Self>, FsError> {
        if id == 0 { Err(FsError::NotFound) } else { Ok(Self::new(id, closed)) }
    }
}

#[async_trait]
impl AsyncDrop for Block {
    type Error = FlushError;

    async fn async_drop_impl(&mut self) -> Result<(), FlushError> {
        self.closed.fetch_add(1, Ordering::SeqCst);
        if self.fails { Err(FlushError) } else { Ok(()) }
    }
}

/// Guards any value, as a generic test helper does.
pub fn guarded<T: Debug>(value: T) -> AsyncDropGuard<T> {
    AsyncDropGuard::new(value)
}

/// A part that cannot fail to close: its error is an empty enum of another crate.
#[derive(Debug)]
pub struct Waiters(pub usize);

#[async_trait]
impl AsyncDrop for Waiters {
    type Error = Never;

    async fn async_drop_impl(&mut self) -> Result<(), Never> {
        Ok(())
    }
}

pub async fn count_waiters(waiters: AsyncDropGuard<Waiters>) -> usize {
    with_async_drop_2_infallible!(waiters, { waiters.0 })
}

/// A store whose parts are guards. It is `Send`, not `Sync`.
#[derive(Debug)]
pub struct Store {
    blocks: AsyncDropGuard<AsyncDropHashMap<u64, Block>>,
    journal: AsyncDropGuard<Block>,
    reads: std::cell::Cell<usize>,
}

impl Store {
    pub fn new(closed: &Closed) -> AsyncDropGuard<Self> {
        AsyncDropGuard::new(Self {
            blocks: AsyncDropHashMap::new(),
            journal: Block::new(1, closed),
            reads: std::cell::Cell::new(0),
        })
    }

    pub fn try_insert(
        &mut self,
        block: AsyncDropGuard<Block>,
    ) -> Result<&mut AsyncDropGuard<Block>, OccupiedError<'_, u64, AsyncDropGuard<Block>>> {
        self.blocks.try_insert(block.id, block)
    }

    /// Inserts the block, or closes it if there is one with its number.
    pub async fn insert(&mut self, block: AsyncDropGuard<Block>) -> Result<(), FsError> {
        let refused = match self.try_insert(block) {
            Ok(_) => None,
            Err(error) => Some(error.value),
        };
        match refused {
            None => Ok(()),
            Some(mut block) => {
                block.async_drop().await?;
                Err(FsError::Exists)
            }
        }
    }

    pub fn read(&self, id: u64) -> Option<u64> {
        self.reads.set(self.reads.get() + 1);
        self.blocks.get(&id).map(|block| block.id)
    }

    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    pub fn remove(&mut self, id: u64) -> Option<AsyncDropGuard<Block>> {
        self.blocks.remove(&id)
    }

    /// Takes the journal out, and leaves a guard without a value.
    pub fn take_journal(&mut self) -> AsyncDropGuard<Block> {
        std::mem::replace(&mut self.journal, AsyncDropGuard::new_invalid())
    }
}

#[async_trait]
impl AsyncDrop for Store {
    type Error = FlushError;

    async fn async_drop_impl(&mut self) -> Result<(), FlushError> {
        self.blocks.async_drop().await?;
        if !self.journal.is_dropped() {
            self.journal.async_drop().await?;
        }
        Ok(())
    }
}

/// Shares a store on one thread: the handles count its reads.
pub async fn reads_of_two_handles(store: AsyncDropGuard<Store>) -> Result<usize, FsError> {
    let mut first = AsyncDropArc::new(store);
    let mut second = AsyncDropArc::clone(&first);
    assert_eq!(AsyncDropArc::strong_count(&first), 2);
    first.read(7);
    second.read(7);
    first.async_drop().await?;
    with_async_drop_2!(second, { Ok(second.reads.get()) })
}

/// Owns a connection that its cleanup takes out.
#[derive(Debug)]
pub struct Session<T: AsyncDrop + Debug + Send> {
    pub connection: Option<AsyncDropGuard<T>>,
}

#[async_trait]
impl<T: AsyncDrop + Debug + Send> AsyncDrop for Session<T> {
    type Error = T::Error;

    async fn async_drop_impl(&mut self) -> Result<(), T::Error> {
        self.connection.take().expect("closed twice").async_drop().await
    }
}

pub trait Named: AsyncDrop + Debug + Send {
    fn name(&self) -> String;
}

impl Named for Block {
    fn name(&self) -> String {
        format!("block {}", self.id)
    }
}

impl Named for Box<Block> {
    fn name(&self) -> String {
        (**self).name()
    }
}

/// Renames, boxes and unwraps guards.
pub async fn conversions(closed: &Closed) -> Result<String, FsError> {
    let mut renamed = Block::new(1, closed).map_unsafe(|block| Block { id: 2, ..block });
    let name = renamed.name();
    renamed.async_drop().await?;
    let mut boxed = Block::new(3, closed).into_box();
    let boxed_name = boxed.name();
    boxed.async_drop().await?;
    let mut block = Block::new(4, closed).unsafe_into_inner_dont_drop();
    block.async_drop_impl().await?;
    Ok(format!("{name}, {boxed_name}, {}", block.id))
}

pub async fn read_twice(closed: &Closed) -> Result<u64, FsError> {
    let source = Block::open(5, closed).await?;
    let sum = with_async_drop_2!(source, { Ok::<_, FsError>(source.id * 2) }, FsError::Flush)?;
    let block = Block::open(sum, closed).await?;
    with_async_drop(block, |block| std::future::ready(Ok(block.id))).await
}

pub async fn open_both(a: u64, b: u64, closed: &Closed) -> Result<u64, FsError> {
    let (first, second) = (Block::open(a, closed).await, Block::open(b, closed).await);
    let (first, mut second) = flatten_async_drop::<FsError, _, _, _, _>(first, second).await?;
    let sum = with_async_drop_2!(first, { Ok::<_, FsError>(first.id + second.id) })?;
    second.async_drop().await?;
    Ok(sum)
}

/// Opens a block once for all handles.
pub async fn open_shared(id: u64, closed: &Closed) -> Result<u64, FsError> {
    let opening: BoxFuture<'_, _> = Block::open(id, closed).map(AsyncDropResult::new).boxed();
    let mut shared = AsyncDropShared::new(opening);
    let mut opened = (&mut *shared).await;
    let id = match opened.as_inner() {
        Ok(block) => Ok(block.id),
        Err(_) => Err(FsError::NotFound),
    };
    opened.async_drop().await?;
    shared.async_drop().await?;
    id
}

pub async fn locked(closed: &Closed) -> Result<u64, FsError> {
    let mutex = AsyncDropTokioMutex::new(Block::new(8, closed));
    with_async_drop_2!(mutex, {
        mutex.lock().await.id += 1;
        Ok(mutex.lock().await.id)
    })
}

/// A test fixture that cleans up in `Drop`, for any value.
pub struct Fixture<T: AsyncDrop + Debug> {
    value: SyncDrop<T>,
}

impl<T: AsyncDrop + Debug> Fixture<T> {
    pub fn new(value: AsyncDropGuard<T>) -> Self {
        Self { value: SyncDrop::new(value) }
    }

    pub fn is_dropped(&self) -> bool {
        self.value.inner().is_dropped()
    }

    pub fn into_guard(self) -> AsyncDropGuard<T> {
        self.value.into_inner_dont_drop()
    }
}

/// All blocks by their numbers.
pub fn by_number(store: &Store) -> BTreeMap<u64, usize> {
    (0..20).filter_map(|id| Some((store.read(id)?, store.len()))).collect()
}
