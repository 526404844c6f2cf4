use std::marker::PhantomData;

use livedrop::state::Scoped;

/// Marks rows that were read in a scope.
struct Rows<'scope> {
    count: u32,
    read_in: PhantomData<Scoped<'scope>>,
}

fn in_this_scope<'scope>(rows: Rows<'scope>) -> Rows<'scope> {
    rows
}

fn main() {
    let rows = in_this_scope(Rows { count: 1, read_in: PhantomData });
    assert_eq!(rows.count, 1);
}
