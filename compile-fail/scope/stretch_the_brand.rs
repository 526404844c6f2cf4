//! Misuse: using the brand of a shorter scope as the brand of a longer one (lifetime may not live long enough)
//! Why it matters: a cursor of the inner scope would pass as a cursor of the outer one.
//! Fix: give each cursor the lifetime of its own scope.
//! Rule: The rule of brands

use std::marker::PhantomData;

use livedrop::state::Scoped;

/// A cursor into a result, valid in one scope.
struct Cursor<'scope> {
    row: u32,
    opened_in: PhantomData<Scoped<'scope>>,
}

fn keep<'short, 'long: 'short>(cursor: Cursor<'short>) -> Cursor<'long> {
    Cursor { row: 0, ..cursor }
}

fn main() {
    let cursor = keep(Cursor { row: 7, opened_in: PhantomData });
    assert_eq!(cursor.row, 0);
}
