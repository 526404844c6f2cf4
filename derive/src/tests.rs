//! What the macros write, as files: `UPDATE_SNAPSHOTS=1 cargo test -p livedrop-derive` writes them
//! anew. And what they say where they refuse.

use std::path::Path;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::quote;

use crate::guards::{Named, mentions, named};

/// The expansion as a person would have laid it out.
fn formatted(tokens: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(tokens).expect("an expansion is made of items"))
}

fn derived(input: TokenStream) -> String {
    formatted(super::derive(&syn::parse2(input).expect("a type")))
}

#[track_caller]
fn expect(name: &str, expansion: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, expansion).unwrap();
    }
    let snapshot = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(snapshot == expansion, "{} is now\n{expansion}", path.display());
}

/// The messages, in the order in which the compiler prints them.
fn refused(input: TokenStream) -> Vec<String> {
    let input = syn::parse2(input).expect("a type");
    let mut problems = crate::problems::Problems::default();
    let ast = crate::ast::Ast::new(&input, &mut problems);
    crate::valid::check(&ast, &mut problems);
    let error = problems.into_error().expect("it is refused");
    error.into_iter().map(|error| error.to_string()).collect()
}

#[test]
fn one_guard() {
    expect(
        "one_guard.rs",
        &derived(quote! {
            struct Client {
                socket: AsyncDropGuard<Socket>,
                address: String,
            }
        }),
    );
}

#[test]
fn several_in_order() {
    expect(
        "several_in_order.rs",
        &derived(quote! {
            struct Service {
                database: AsyncDropGuard<Database>,
                cache: Option<AsyncDropGuard<Cache>>,
                workers: Vec<AsyncDropGuard<Worker>>,
                #[async_drop]
                log: Log,
                #[async_drop(skip)]
                lent: AsyncDropGuard<Lent>,
                name: String,
            }
        }),
    );
}

#[test]
fn a_marked_field_first() {
    expect(
        "a_marked_field_first.rs",
        &derived(quote! {
            struct Client {
                #[async_drop]
                socket: Socket,
            }
        }),
    );
}

#[test]
fn at_once_with_an_error_by_name() {
    expect(
        "at_once_with_an_error_by_name.rs",
        &derived(quote! {
            #[async_drop(concurrent, error = ServiceError)]
            pub struct Service(
                AsyncDropGuard<Database>,
                u8,
                AsyncDropGuard<Cache>,
                AsyncDropGuard<Worker>,
            );
        }),
    );
}

#[test]
fn an_enum() {
    expect(
        "an_enum.rs",
        &derived(quote! {
            enum Link {
                Open(AsyncDropGuard<Socket>, u8),
                Named { socket: Option<AsyncDropGuard<Socket>>, name: String },
                Closed,
            }
        }),
    );
}

#[test]
fn generics() {
    expect(
        "generics.rs",
        &derived(quote! {
            struct Pool<'a, T, U, const N: usize>
            where
                U: Debug,
            {
                spare: AsyncDropGuard<T>,
                busy: Vec<AsyncDropGuard<T>>,
                names: [&'a str; N],
                plain: U,
            }
        }),
    );
}

#[test]
fn unboxed() {
    let input = quote! {
        impl<T: Debug> AsyncDrop for File<'_, T>
        where
            T: Send,
        {
            type Error = std::io::Error;

            /// Flushes.
            async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
                self.flush().await?;
                Ok(())
            }
        }
    };
    expect("unboxed.rs", &formatted(crate::unboxed::expand(&TokenStream::new(), input)));
}

/// One vector of guards has several errors by itself, each of which is converted.
#[test]
fn one_vec_with_an_error_by_name() {
    expect(
        "one_vec_with_an_error_by_name.rs",
        &derived(quote! {
            #[async_drop(error = PoolError)]
            struct Pool {
                workers: Vec<AsyncDropGuard<Worker>>,
            }
        }),
    );
}

/// Every arm goes through the same collection, and an empty one does nothing.
#[test]
fn an_enum_with_several_errors() {
    expect(
        "an_enum_with_several_errors.rs",
        &derived(quote! {
            enum Link {
                Two(AsyncDropGuard<Socket>, AsyncDropGuard<Log>),
                One(AsyncDropGuard<Socket>),
                None(),
            }
        }),
    );
}

/// The conditions on a type, as far as they stand in the head of its `impl`.
fn conditions(input: TokenStream) -> Vec<String> {
    let expansion: syn::ItemImpl = syn::parse2(super::derive(&syn::parse2(input).expect("a type")))
        .expect("an expansion is an `impl`");
    let clause = expansion.generics.where_clause;
    let predicates = clause.into_iter().flat_map(|clause| clause.predicates);
    predicates.map(crate::problems::code).collect()
}

/// A condition makes the compiler report a marked field without a cleanup where the field stands.
#[test]
fn a_marked_field_must_have_a_cleanup() {
    let of_parameter = conditions(quote! {
        struct Wrapper<T> { #[async_drop] value: Boxed<(T, u8)> }
    });
    assert_eq!(
        of_parameter,
        ["Boxed<(T, u8)>:::livedrop::__private::FieldToCleanUp +::core::marker::Send"]
    );
    let of_lifetime = conditions(quote! {
        struct Wrapper<'a> { #[async_drop] value: Borrows<'a> }
    });
    assert_eq!(of_lifetime, ["Borrows<'a>:::livedrop::__private::FieldToCleanUp"]);
    let of_itself = conditions(quote! {
        struct List<'a> { #[async_drop] next: Option<Box<List<'a>>> }
    });
    assert_eq!(of_itself, [""; 0]);
    let concrete = conditions(quote! {
        struct Wrapper<T> { #[async_drop] value: Boxed<u8>, plain: T }
    });
    assert_eq!(concrete, ["Boxed<u8>:::livedrop::__private::FieldToCleanUp"]);
}

/// What a macro has put a type into, when it was given as a `$ty`.
fn in_a_group(tokens: TokenStream) -> TokenStream {
    TokenTree::Group(Group::new(Delimiter::None, tokens)).into()
}

#[test]
fn a_guard_is_found_where_the_words_of_a_type_name_one() {
    let grouped_state = in_a_group(quote!(Live));
    for (ty, expected) in [
        (quote!(Socket), "none"),
        (quote!(&'static AsyncDropGuard<A>), "none"),
        (quote!(PhantomData<AsyncDropGuard<A>>), "none"),
        (quote!(AsyncDropGuard<A, Dropped>), "none"),
        (quote!(AsyncDropGuard<A>), "guard"),
        (quote!(AsyncDropGuard<A, Adopted>), "guard"),
        (quote!(livedrop::AsyncDropGuard<A, livedrop::Checked>), "guard"),
        (quote!((AsyncDropGuard<A>)), "guard"),
        (in_a_group(quote!(AsyncDropGuard<A>)), "guard"),
        (quote!(AsyncDropGuard<A, Live>), "live"),
        (quote!(AsyncDropGuard<A, #grouped_state>), "live"),
        (quote!(ScopedGuard<'_, A>), "live"),
        (quote!(Vec<AsyncDropGuard<A, S>>), "vec"),
        (quote!(Vec<AsyncDropGuard<A, Live>>), "vec"),
        (quote!(Option<AsyncDropGuard<A>>), "option"),
        (quote!(Option<AsyncDropGuard<A, Live>>), "option"),
        (quote!(Option<Vec<AsyncDropGuard<A>>>), "inside"),
        (quote!(Vec<Option<AsyncDropGuard<A>>>), "inside"),
        (quote!(Box<AsyncDropGuard<A>>), "inside"),
        (quote!(HashMap<u8, AsyncDropGuard<A>>), "inside"),
        (quote!([AsyncDropGuard<A>; 2]), "inside"),
        (quote!([AsyncDropGuard<A>]), "inside"),
        (quote!((u8, AsyncDropGuard<A>)), "inside"),
        (quote!((u8, A)), "none"),
    ] {
        let found = match named(&syn::parse2(ty.clone()).expect("a type")) {
            None => "none",
            Some(Named::Guard) => "guard",
            Some(Named::Live(..)) => "live",
            Some(Named::Vec(_)) => "vec",
            Some(Named::Option) => "option",
            Some(Named::Inside) => "inside",
        };
        assert_eq!(found, expected, "{ty}");
    }
}

#[test]
fn a_word_is_found_at_any_depth() {
    let (t, u) = (Ident::new("T", Span::call_site()), Ident::new("U", Span::call_site()));
    assert!(mentions(quote!(Boxed<[(u8, T); 2]>), &[&t, &u]));
    assert!(!mentions(quote!(Boxed<[(u8, T); 2]>), &[&u]));
}

/// A type that is refused still has the trait, so that not every use of it is refused too.
#[test]
fn what_is_refused_has_a_stand_in() {
    let expansion = derived(quote! {
        struct Client {
            pub socket: AsyncDropGuard<Socket>,
            alias: Alias,
        }
    });
    assert!(expansion.contains("compile_error!"), "{expansion}");
    assert!(expansion.contains("impl ::livedrop::AsyncDrop for Client"), "{expansion}");
    assert!(expansion.contains("UnmarkedField::<Alias>"), "{expansion}");
}

#[test]
fn every_mistake_of_a_type_is_said_at_once() {
    let messages = refused(quote! {
        #[async_drop]
        #[async_drop(concurrent, concurrent, parallel = 3, error, error = E x)]
        #[async_drop()]
        #[async_drop = "x"]
        pub enum Link {
            #[async_drop]
            Open {
                #[async_drop]
                #[async_drop(skip)]
                a: AsyncDropGuard<A>,
                #[async_drop(skip)]
                #[async_drop(skip)]
                b: AsyncDropGuard<B>,
                #[async_drop(ignore)]
                c: AsyncDropGuard<C, livedrop::Live<B>>,
                d: ScopedGuard<'static, D>,
            },
        }
    });
    let first_lines: Vec<&str> =
        messages.iter().map(|message| message.lines().next().unwrap()).collect();
    assert_eq!(
        first_lines,
        [
            "`#[async_drop]` marks a field, not a type",
            "`concurrent` stands here a second time",
            "a type has no option `parallel`",
            "`error` needs the type of the error",
            "nothing may follow `error` but a comma",
            "there is no option in `#[async_drop()]`",
            "`async_drop` is assigned nothing",
            "`#[async_drop]` marks a field, not a variant",
            "`#[async_drop]` and `#[async_drop(skip)]` contradict each other",
            "this field is marked a second time",
            "a field has no option `ignore`",
            "the enum `Link` is `pub`: everybody can make its variants, without a guard",
            "the cleanup of `Link` borrows the field `c`, and a `Live` guard can only be given away",
            "the cleanup of `Link` borrows the field `d`, and a `Live` guard can only be given away",
        ]
    );
    for message in messages {
        let help = message.lines().nth(1).unwrap_or_default();
        assert!(help.starts_with("help: "), "{message}");
    }
}

#[test]
fn what_is_too_much_in_one_option_is_skipped_to_the_next() {
    let messages = refused(quote! {
        #[async_drop(error = E x y z, parallel, concurrent = 3 of 4, serial)]
        struct Service {
            guard: AsyncDropGuard<A>,
        }
    });
    let first_lines: Vec<&str> =
        messages.iter().map(|message| message.lines().next().unwrap()).collect();
    assert_eq!(
        first_lines,
        [
            "nothing may follow `error` but a comma",
            "a type has no option `parallel`",
            "nothing may follow `concurrent` but a comma",
            "a type has no option `serial`",
        ]
    );
}

#[test]
fn a_union_and_a_type_without_a_guard_are_refused() {
    let messages = refused(quote!(union Either { a: u8, b: AsyncDropGuard<B> }));
    assert_eq!(messages.len(), 1);
    assert!(messages[0].contains("help: make it an enum: `enum Either { … }`"));
    for nothing in [
        quote!(
            struct Nothing;
        ),
        quote!(
            enum Nothing {}
        ),
        quote!(
            struct Nothing {
                #[async_drop(skip)]
                a: AsyncDropGuard<A>,
            }
        ),
        quote!(
            struct Nothing(AsyncDropGuard<A, Dropped>, &'static AsyncDropGuard<A>);
        ),
    ] {
        let messages = refused(nothing);
        assert_eq!(messages.len(), 1);
        assert!(messages[0].starts_with("`Nothing` has nothing to clean up"), "{messages:?}");
    }
}

#[test]
fn the_help_is_code_as_people_write_it() {
    let messages = refused(quote! {
        struct Client<'a> {
            pub sockets: Vec<AsyncDropGuard<net::Socket<'a, [u8; 2]>>>,
        }
    });
    assert!(
        messages[0].ends_with("`sockets: Vec<AsyncDropGuard<net::Socket<'a, [u8; 2]>>>`"),
        "{messages:?}"
    );
}

#[test]
fn unboxed_refuses_what_it_cannot_write() {
    let refused = |arguments: TokenStream, input: TokenStream| {
        let expansion = crate::unboxed::expand(&arguments, input).to_string();
        assert!(expansion.contains("compile_error"), "{expansion}");
        expansion
    };
    let none = TokenStream::new;
    let good = quote! {
        impl AsyncDrop for X {
            async fn async_drop_impl(&mut self) -> Result<(), Self::Error> { Ok(()) }
        }
    };
    assert!(refused(quote!(boxed), good).contains("takes no arguments"));
    assert!(refused(none(), quote!(impl Other for X {})).contains("stands above"));
    assert!(refused(none(), quote!(impl X {})).contains("stands above"));
    assert!(
        refused(
            none(),
            quote!(
                trait AsyncDrop {}
            )
        )
        .contains("stands above")
    );
    let by_hand = quote! {
        impl AsyncDrop for X {
            fn async_drop_impl(&mut self) -> Pin<Box<dyn Future>> { todo!() }
        }
    };
    assert!(refused(none(), by_hand).contains("boxed already"));
    let both = quote! {
        impl AsyncDrop for X {
            async fn async_drop_impl(&mut self) -> Result<(), ()> { Ok(()) }
            fn async_drop_unboxed(&mut self) {}
        }
    };
    assert!(refused(none(), both).contains("by itself"));
    let silent = quote!(impl AsyncDrop for X { async fn async_drop_impl(&mut self) {} });
    assert!(refused(none(), silent).contains("returns whether"));
    let above = quote! {
        #[async_trait::async_trait]
        #[allow(unused)]
        impl AsyncDrop for X {
            async fn async_drop_impl(&mut self) -> Result<(), ()> { Ok(()) }
        }
    };
    let expansion = refused(none(), above);
    assert!(expansion.contains("and both stand here"), "{expansion}");
    assert!(!expansion.contains("async_trait :: async_trait"), "{expansion}");
    assert!(expansion.contains("allow (unused)"), "{expansion}");
    let below = quote! {
        impl AsyncDrop for X {
            fn async_drop_impl<'life0, 'async_trait>(&'life0 mut self) -> Boxed<'async_trait> {
                todo!()
            }
        }
    };
    assert!(refused(none(), below).contains("and both stand here"));
    let by_hand_with_a_lifetime = quote! {
        impl AsyncDrop for X {
            fn async_drop_impl<'a>(&'a mut self) -> Boxed<'a> { todo!() }
        }
    };
    assert!(refused(none(), by_hand_with_a_lifetime).contains("boxed already"));
}

/// The compiler says of it that it is no method of the trait.
#[test]
fn unboxed_leaves_every_other_item_as_it_is() {
    let input = quote! {
        impl AsyncDrop for X {
            type Error = ();
            async fn async_drop_impl(&mut self) -> Result<(), ()> { Ok(()) }
            fn other(&self) {}
        }
    };
    let expansion = crate::unboxed::expand(&TokenStream::new(), input).to_string();
    assert!(!expansion.contains("compile_error"), "{expansion}");
    assert!(expansion.contains("fn other (& self) { }"), "{expansion}");
}
