//! Rejects input that cannot be cleaned up. Each error has the span of the mistake, and a fix.

use syn::{Data, Visibility};

use crate::ast::{Ast, Field, Role};
use crate::guards::{Named, named};
use crate::problems::{Problems, code};

pub(crate) fn check(ast: &Ast<'_>, problems: &mut Problems) {
    let name = &ast.input.ident;
    match &ast.input.data {
        Data::Union(data) => {
            let help = format!("make it an enum: `enum {name} {{ … }}`");
            let wrong = "a union cannot be cleaned up: it does not record which field is active";
            return problems.add(data.union_token, wrong, &help);
        }
        Data::Enum(_) if matches!(ast.input.vis, Visibility::Public(_)) => problems.add(
            &ast.input.vis,
            &format!(
                "the enum `{name}` is `pub`: any code can construct its variants without a guard"
            ),
            &format!(
                "make it private, and wrap it: `enum Kind {{ … }}`, and `#[derive(AsyncDrop)] \
                 #[async_drop(error = Error)] pub struct {name} {{ #[async_drop] kind: Kind }}`"
            ),
        ),
        _ => {}
    }
    if ast.cleaned().next().is_none() {
        let skipped = "no field names an `AsyncDropGuard` or is marked `#[async_drop]`";
        problems.add(
            name,
            &format!("`{name}` has nothing to clean up: {skipped}"),
            "mark the field to clean up, `#[async_drop] field: Type`, or remove the derive",
        );
    }
    if let (Some(map_err), None, None) =
        (ast.cleaned().find_map(Field::map_err), ast.gives_error(), &ast.options.error)
    {
        problems.add(
            map_err,
            &format!(
                "nothing gives the error of `{name}`: `map_err` converts the error of each field"
            ),
            "name it above the type: `#[async_drop(error = Error)]`",
        );
    }
    for field in ast.fields() {
        marked(field, problems);
    }
    for field in ast.cleaned() {
        private(field, problems);
        not_live(field, &name.to_string(), problems);
    }
}

/// Rejects an unmarked field whose type is or contains a type parameter.
fn marked(field: &Field<'_>, problems: &mut Problems) {
    if !matches!(field.role, Role::UnmarkedParameter) {
        return;
    }
    let (ty, of) = (code(field.ty), name(field));
    let before = field.name.map_or(String::new(), |name| format!("{name}: "));
    problems.add(
        field.ty,
        &format!(
            "the field{of} is not marked, and its type `{ty}` may be or contain a type with a \
             cleanup, which would be forgotten"
        ),
        &format!(
            "to clean it up, mark it `#[async_drop] {before}{ty}`; if it needs no cleanup, skip \
             it: `#[async_drop(skip)] {before}{ty}`"
        ),
    );
}

/// Rejects a cleaned-up field that is `pub`.
fn private(field: &Field<'_>, problems: &mut Problems) {
    if !matches!(field.vis, Visibility::Public(_)) {
        return;
    }
    let (ty, of) = (code(field.ty), name(field));
    problems.add(
        field.vis,
        &format!("the guarded field{of} is `pub`: any code could move the guard out or replace it"),
        &match field.name {
            Some(name) => format!("make it private, and add a method for access: `{name}: {ty}`"),
            None => format!("make it private, and add a method for access: `{ty}`"),
        },
    );
}

/// Rejects a `Live` guard, because it is cleaned up by value: it can be taken out of an `Option` or
/// a `Vec`, but not out of a borrowed field.
fn not_live(field: &Field<'_>, owner: &str, problems: &mut Problems) {
    if let Some(Named::Live(state, value)) = named(field.ty) {
        let value = value.map_or("_".to_owned(), code);
        let before = field.name.map_or(String::new(), |name| format!("{name}: "));
        problems.add(
            state,
            &format!(
                "the cleanup of `{owner}` borrows the field{}, but a `Live` guard is cleaned up by \
                 value",
                name(field)
            ),
            &format!(
                "make it `Checked`: `{before}AsyncDropGuard<{value}>`, from \
                 `AsyncDropGuard::new(value)` or `AsyncDropGuard::into_checked(guard)`"
            ),
        );
    }
}

/// Returns " `name`" for a message, or nothing in a tuple.
fn name(field: &Field<'_>) -> String {
    field.name.map_or(String::new(), |name| format!(" `{name}`"))
}
