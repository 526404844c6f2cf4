//! What the derive refuses: the culprit is underlined, and the fix is in the words.

use syn::{Data, Visibility};

use crate::ast::{Ast, Field};
use crate::guards::{Named, named};
use crate::problems::{Problems, code};

pub(crate) fn check(ast: &Ast<'_>, problems: &mut Problems) {
    let name = &ast.input.ident;
    match &ast.input.data {
        Data::Union(data) => {
            let help = format!("make it an enum: `enum {name} {{ … }}`");
            let wrong = "a union cannot be cleaned up: nothing says which of its fields is there";
            return problems.add(data.union_token, wrong, &help);
        }
        Data::Enum(_) if matches!(ast.input.vis, Visibility::Public(_)) => problems.add(
            &ast.input.vis,
            &format!(
                "the enum `{name}` is `pub`: everybody can make its variants, without a guard"
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
            "mark the field to clean up, `#[async_drop] field: Type`, or leave the derive out",
        );
    }
    for field in ast.cleaned() {
        private(field, problems);
        not_live(field, &name.to_string(), problems);
    }
}

fn private(field: &Field<'_>, problems: &mut Problems) {
    if !matches!(field.vis, Visibility::Public(_)) {
        return;
    }
    let (ty, of) = (code(field.ty), name(field));
    problems.add(
        field.vis,
        &format!(
            "the guarded field{of} is `pub`: everybody could move the guard out, or replace it"
        ),
        &match field.name {
            Some(name) => format!("make it private, and give access by a method: `{name}: {ty}`"),
            None => format!("make it private, and give access by a method: `{ty}`"),
        },
    );
}

/// In an `Option` or a `Vec` a `Live` guard can be taken out, as a field of its own it cannot.
fn not_live(field: &Field<'_>, owner: &str, problems: &mut Problems) {
    if let Some(Named::Live(state, value)) = named(field.ty) {
        let value = value.map_or("_".to_owned(), code);
        let before = field.name.map_or(String::new(), |name| format!("{name}: "));
        problems.add(
            state,
            &format!(
                "the cleanup of `{owner}` borrows the field{}, and a `Live` guard can only be \
                 given away",
                name(field)
            ),
            &format!(
                "make it `Checked`: `{before}AsyncDropGuard<{value}>`, from \
                 `AsyncDropGuard::new(value)` or `AsyncDropGuard::into_checked(guard)`"
            ),
        );
    }
}

/// For a sentence: " `name`", or nothing.
fn name(field: &Field<'_>) -> String {
    field.name.map_or(String::new(), |name| format!(" `{name}`"))
}
