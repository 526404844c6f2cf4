//! The columns of the tables: the library, and the other code that it is compared with.

pub(crate) const NO_GUARANTEE: &str = "no guarantee";
/// The same guarantee, written for one type.
pub(crate) const BY_HAND: &str = "by hand";
pub(crate) const PEER: &str = "`async-drop-guard`";
/// A `FuturesUnordered`, or a plain lock.
pub(crate) const FUTURES: &str = "futures";

const COLUMNS: [&str; 4] = [NO_GUARANTEE, BY_HAND, PEER, FUTURES];

/// The head of a table, with a column for the library and for each other code.
pub(crate) fn head(operation: &str) -> String {
    let columns = COLUMNS.join(" | ");
    format!("| {operation} | livedrop | {columns} |\n|---|---|---|---|---|---|")
}

/// A row of that table. `cell` returns the cell of other code.
pub(crate) fn row<F>(
    operation: &str,
    livedrop: &str,
    others: &[(&'static str, F)],
    mut cell: impl FnMut(&F) -> String,
) -> String {
    let others = COLUMNS.map(|column| {
        let other = others.iter().find(|(name, _)| *name == column);
        other.map_or_else(String::new, |(_, other)| cell(other))
    });
    format!("| {operation} | {livedrop} | {} |", others.join(" | "))
}
