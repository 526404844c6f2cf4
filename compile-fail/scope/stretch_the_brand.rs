//! Misuse: treating the brand of a shorter scope as that of a longer one (lifetime may not live long enough)
//! Why it matters: what is marked as read in the inner scope would pass for the outer one's.
//! Fix: give each mark the lifetime of the scope it comes from.
//! Rule: The rule of brands

use std::marker::PhantomData;

use livedrop::state::Scoped;

/// A cursor into a result, valid in the scope that it was opened in.
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
