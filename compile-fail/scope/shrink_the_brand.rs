//! Misuse: using the brand of a longer scope as the brand of a shorter one (lifetime may not live long enough)
//! Why it matters: if brands could shrink, two nested scopes would have the same brand.
//! Fix: return it with the lifetime of its parameter.
//! Rule: The rule of brands

use std::marker::PhantomData;

use livedrop::state::Scoped;

/// Marks rows that were read in a scope.
struct Rows<'scope> {
    count: u32,
    read_in: PhantomData<Scoped<'scope>>,
}

fn in_this_scope<'short, 'long: 'short>(rows: Rows<'long>) -> Rows<'short> {
    rows
}

fn main() {
    let rows = in_this_scope(Rows { count: 1, read_in: PhantomData });
    assert_eq!(rows.count, 1);
}
