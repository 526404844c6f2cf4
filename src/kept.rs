//! What waits for something else to end before it is told to its caller.

/// If it is dropped before that, the hook is told.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "not for use")]
#[must_use = "the hook is told of it otherwise"]
pub struct Kept<V> {
    /// `None` once it was taken.
    value: Option<V>,
    tell: fn(V),
}

impl<V> Kept<V> {
    pub(crate) fn new(value: V, tell: fn(V)) -> Self {
        Self { value: Some(value), tell }
    }

    #[doc(hidden)]
    #[must_use = "it is lost otherwise"]
    pub fn take(mut self) -> V {
        self.value.take().expect("it is taken once")
    }
}

impl<V> Drop for Kept<V> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            (self.tell)(value);
        }
    }
}

/// Tells of each. Where that panics at one of them, the others are told of on the way out.
pub(crate) fn tell_each<I: Iterator>(items: I, tell: fn(I::Item)) {
    TellsEach { items, tell }.go_on();
}

struct TellsEach<I: Iterator> {
    items: I,
    tell: fn(I::Item),
}

impl<I: Iterator> TellsEach<I> {
    fn go_on(&mut self) {
        for item in &mut self.items {
            (self.tell)(item);
        }
    }
}

impl<I: Iterator> Drop for TellsEach<I> {
    fn drop(&mut self) {
        self.go_on();
    }
}
