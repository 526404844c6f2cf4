//! The parsed input: the fields of the type, and which of them are cleaned up.

use quote::format_ident;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, ExprPath, Fields, Ident, Type, Visibility};

use crate::guards::{Named, may_own, named};
use crate::options::{Mark, TypeOptions, mark, none_here};
use crate::problems::Problems;

pub(crate) struct Ast<'a> {
    pub(crate) input: &'a DeriveInput,
    pub(crate) options: TypeOptions,
    pub(crate) variants: Vec<Variant<'a>>,
}

/// A variant of an enum, or the fields of a struct.
pub(crate) struct Variant<'a> {
    pub(crate) ident: Option<&'a Ident>,
    pub(crate) is_tuple: bool,
    pub(crate) fields: Vec<Field<'a>>,
}

pub(crate) struct Field<'a> {
    /// `None` in a tuple.
    pub(crate) name: Option<&'a Ident>,
    /// The variable that the expansion binds the field to.
    pub(crate) binding: Ident,
    pub(crate) ty: &'a Type,
    pub(crate) vis: &'a Visibility,
    pub(crate) role: Role<'a>,
}

/// How the expansion treats a field.
pub(crate) enum Role<'a> {
    /// Cleans it up. For a vector of guards, which can have several errors, `each` is the type of
    /// one guard. `map_err` converts its errors; otherwise it is [`From`].
    Clean { each: Option<&'a Type>, map_err: Option<ExprPath> },
    /// Skips it, and makes the compiler check that its type has no cleanup.
    Unmarked,
    /// Rejects it: its type is or contains a type parameter, so not even the compiler knows whether
    /// it has a cleanup.
    UnmarkedParameter,
    /// Skips it.
    Skip,
}

impl<'a> Ast<'a> {
    pub(crate) fn new(input: &'a DeriveInput, problems: &mut Problems) -> Self {
        let options = TypeOptions::new(&input.attrs, problems);
        let params: Vec<&Ident> = input.generics.type_params().map(|param| &param.ident).collect();
        let variants = match &input.data {
            Data::Struct(data) => vec![Variant::new(None, &data.fields, &params, problems)],
            Data::Enum(data) => {
                let mut variants = Vec::new();
                for variant in &data.variants {
                    none_here(&variant.attrs, problems);
                    variants.push(Variant::new(
                        Some(&variant.ident),
                        &variant.fields,
                        &params,
                        problems,
                    ));
                }
                variants
            }
            Data::Union(_) => Vec::new(),
        };
        Self { input, options, variants }
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = &Field<'a>> {
        self.variants.iter().flat_map(|variant| &variant.fields)
    }

    /// Returns the fields that are cleaned up.
    pub(crate) fn cleaned(&self) -> impl Iterator<Item = &Field<'a>> {
        self.fields().filter(|field| field.is_cleaned())
    }

    /// Returns the first field whose errors are converted by [`From`]: its error is the error of the
    /// type, unless the type names one.
    pub(crate) fn gives_error(&self) -> Option<&Field<'a>> {
        self.cleaned().find(|field| field.map_err().is_none())
    }

    /// Returns whether the cleanup of a value can have more than one error.
    pub(crate) fn has_several_errors(&self) -> bool {
        let several = |variant: &Variant<'_>| {
            let vecs = variant.cleaned().filter(|field| field.each().is_some()).count();
            variant.cleaned().count() + vecs > 1
        };
        self.variants.iter().any(several)
    }
}

impl<'a> Variant<'a> {
    fn new(
        ident: Option<&'a Ident>,
        fields: &'a Fields,
        params: &[&Ident],
        problems: &mut Problems,
    ) -> Self {
        let is_tuple = matches!(fields, Fields::Unnamed(_));
        let field = |(index, field)| Field::new(index, field, params, problems);
        Self { ident, is_tuple, fields: fields.iter().enumerate().map(field).collect() }
    }

    pub(crate) fn cleaned(&self) -> impl Iterator<Item = &Field<'a>> {
        self.fields.iter().filter(|field| field.is_cleaned())
    }
}

impl<'a> Field<'a> {
    fn new(
        index: usize,
        field: &'a syn::Field,
        params: &[&Ident],
        problems: &mut Problems,
    ) -> Self {
        let named = named(&field.ty);
        let each = match named {
            Some(Named::Vec(each)) => Some(each),
            _ => None,
        };
        let role = match mark(&field.attrs, problems) {
            Some(Mark::Skip) => Role::Skip,
            Some(Mark::Clean { map_err }) => Role::Clean { each, map_err },
            None if named.is_some() => Role::Clean { each, map_err: None },
            None if may_own(&field.ty, params) => Role::UnmarkedParameter,
            None => Role::Unmarked,
        };
        let name = field.ident.as_ref();
        // Not the field's name: a pattern would compare with a constant of that name, not bind it.
        // It has the span of the field, so that the compiler reports an error about its use there.
        let span = name.map_or_else(|| field.ty.span(), Ident::span);
        let binding = format_ident!("async_drop_field{index}", span = span);
        Self { name, binding, ty: &field.ty, vis: &field.vis, role }
    }

    pub(crate) fn is_cleaned(&self) -> bool {
        matches!(self.role, Role::Clean { .. })
    }

    /// Returns whether only the compiler can know that the type has a cleanup.
    pub(crate) fn is_no_guard_itself(&self) -> bool {
        matches!(named(self.ty), None | Some(Named::Inside))
    }

    /// Returns the type of one guard, if the field is a vector of guards.
    pub(crate) fn each(&self) -> Option<&'a Type> {
        match self.role {
            Role::Clean { each, .. } => each,
            Role::Unmarked | Role::UnmarkedParameter | Role::Skip => None,
        }
    }

    /// Returns the function that converts the errors, if the field names one.
    pub(crate) fn map_err(&self) -> Option<&ExprPath> {
        match &self.role {
            Role::Clean { map_err, .. } => map_err.as_ref(),
            Role::Unmarked | Role::UnmarkedParameter | Role::Skip => None,
        }
    }
}
