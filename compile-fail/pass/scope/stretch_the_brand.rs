use std::marker::PhantomData;

use livedrop::state::Scoped;

/// A cursor into a result, valid in one scope.
struct Cursor<'scope> {
    row: u32,
    opened_in: PhantomData<Scoped<'scope>>,
}

fn rewind<'scope>(cursor: Cursor<'scope>) -> Cursor<'scope> {
    Cursor { row: 0, ..cursor }
}

fn main() {
    let cursor = rewind(Cursor { row: 7, opened_in: PhantomData });
    assert_eq!(cursor.row, 0);
}
