//! Compares the expansions of the macros with snapshots, and checks their error messages.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p livedrop-derive` writes the snapshots.

use std::path::Path;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::quote;

use crate::guards::{Named, mentions, named};

/// Formats the expansion as `rustfmt` would.
fn formatted(tokens: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(tokens).expect("an expansion consists of items"))
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

/// Returns the messages, in the order in which the compiler prints them.
fn rejected(input: TokenStream) -> Vec<String> {
    let input = syn::parse2(input).expect("a type");
    let mut problems = crate::problems::Problems::default();
    let ast = crate::ast::Ast::new(&input, &mut problems);
    crate::valid::check(&ast, &mut problems);
    let error = problems.into_error().expect("the input is rejected");
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
                #[async_drop(skip)]
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

/// Behind another path, the name `livedrop` need not exist.
#[test]
fn behind_a_facade() {
    let mut expansion = String::new();
    for input in [
        quote! {
            #[async_drop(crate = crate::facade::drops)]
            struct Service {
                database: AsyncDropGuard<Database>,
                workers: Vec<AsyncDropGuard<Worker>>,
                #[async_drop]
                log: Log,
                name: String,
            }
        },
        quote! {
            #[async_drop(concurrent, crate = drops, error = LinkError)]
            enum Link<T, U> {
                Open(#[async_drop] T, #[async_drop] Log, Vec<AsyncDropGuard<U>>),
                Closed,
            }
        },
        quote! {
            #[async_drop(crate = ::drops)]
            struct Client {
                #[async_drop]
                socket: Socket,
            }
        },
    ] {
        expansion += &derived(input);
    }
    let input = quote! {
        impl AsyncDrop for File {
            type Error = std::io::Error;

            async fn async_drop_impl(&mut self) -> Result<(), Self::Error> {
                self.flush().await
            }
        }
    };
    let path = quote!(crate = crate::facade::drops);
    expansion += &formatted(crate::unboxed::expand(&path, input));
    assert!(!expansion.contains("livedrop"), "{expansion}");
    expect("behind_a_facade.rs", &expansion);
}

/// A rejected type, too.
#[test]
fn a_stand_in_behind_a_facade() {
    let expansion = derived(quote! {
        #[async_drop(crate = drops)]
        struct Client {
            pub socket: AsyncDropGuard<Socket>,
            alias: Alias,
        }
    });
    assert!(expansion.contains("impl drops::AsyncDrop for Client"), "{expansion}");
    assert!(!expansion.contains("livedrop"), "{expansion}");
}

/// A single vector of guards can have several errors, and each is converted.
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

/// With `first`, the error is the first one itself. One guard has only one error.
#[test]
fn only_the_first_error() {
    let structure = quote! {
        #[async_drop(error = ServiceError, first)]
        struct Service {
            database: AsyncDropGuard<Database>,
            workers: Vec<AsyncDropGuard<Worker>>,
        }
    };
    let enumeration = quote! {
        #[async_drop(first)]
        enum Link {
            Two(AsyncDropGuard<Socket>, AsyncDropGuard<Log>),
            One(AsyncDropGuard<Socket>),
        }
    };
    let single = quote! {
        #[async_drop(first)]
        struct Client(AsyncDropGuard<Socket>);
    };
    let expansions = [structure, enumeration, single].map(derived);
    expect("only_the_first_error.rs", &expansions.concat());
}

/// A function converts the error of a field, without a bound on `From`.
#[test]
fn errors_mapped_by_functions() {
    let structure = quote! {
        #[async_drop(concurrent)]
        struct Service<T> {
            #[async_drop(map_err = Error::Cache)]
            cache: AsyncDropGuard<Cache>,
            #[async_drop(map_err = <T as Service>::worker_error)]
            workers: Vec<AsyncDropGuard<T>>,
            log: AsyncDropGuard<Log>,
        }
    };
    let enumeration = quote! {
        #[async_drop(error = LinkError)]
        enum Link {
            Open(#[async_drop(map_err = socket)] Socket),
            Closed,
        }
    };
    let single = quote! {
        #[async_drop(error = io::Error)]
        struct Client(#[async_drop(map_err = io::Error::other)] AsyncDropGuard<Socket>);
    };
    let expansions = [structure, enumeration, single].map(derived);
    expect("errors_mapped_by_functions.rs", &expansions.concat());
}

#[test]
fn map_err_on_all_fields_needs_a_named_error() {
    let messages = rejected(quote! {
        struct Client {
            #[async_drop(map_err = io::Error::other)]
            socket: AsyncDropGuard<Socket>,
        }
    });
    assert_eq!(messages.len(), 1);
    assert!(messages[0].starts_with("nothing gives the error of `Client`"), "{messages:?}");
}

/// All arms share one collector, and an empty arm does nothing.
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

/// Returns the bounds of the expansion's `where` clause.
fn conditions(input: TokenStream) -> Vec<String> {
    let expansion: syn::ItemImpl = syn::parse2(super::derive(&syn::parse2(input).expect("a type")))
        .expect("an expansion is an `impl`");
    let clause = expansion.generics.where_clause;
    let predicates = clause.into_iter().flat_map(|clause| clause.predicates);
    predicates.map(crate::problems::code).collect()
}

/// With a bound, the compiler reports a marked field without a cleanup at the field.
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
        struct Wrapper<T> { #[async_drop] value: Boxed<u8>, plain: Arc<T> }
    });
    assert_eq!(concrete, ["Boxed<u8>:::livedrop::__private::FieldToCleanUp"]);
}

/// The caller chooses the type, so only a mark can tell whether the field is cleaned up.
#[test]
fn a_field_of_a_type_parameter_must_be_marked() {
    let messages = rejected(quote! {
        enum Client<T: Protocol, U> {
            Open(AsyncDropGuard<Socket>, T),
            Named { socket: AsyncDropGuard<Socket>, state: T::State, item: <Vec<U> as Items>::Item },
            Marked(#[async_drop(skip)] T, #[async_drop] U),
        }
    });
    let first_lines: Vec<&str> =
        messages.iter().map(|message| message.lines().next().unwrap()).collect();
    let end = "may be or contain a type with a cleanup, which would be forgotten";
    assert_eq!(
        first_lines,
        [
            format!("the field is not marked, and its type `T` {end}"),
            format!("the field `state` is not marked, and its type `T::State` {end}"),
            format!("the field `item` is not marked, and its type `<Vec<U> as Items>::Item` {end}"),
        ]
    );
    assert!(messages[1].ends_with("skip it: `#[async_drop(skip)] state: T::State`"));
}

#[test]
fn a_type_parameter_inside_needs_a_mark() {
    let grouped = in_a_group(quote!(T));
    let messages = rejected(quote! {
        struct Client<T, U: Protocol>(
            AsyncDropGuard<Socket>,
            Vec<T>,
            Option<Box<U::Guard>>,
            (u8, T),
            [U; 2],
            Box<[T]>,
            Own<T>,
            std::sync::Mutex<HashMap<u8, T>>,
            <u8 as Convert<T>>::Output,
            (T),
            #grouped,
        );
    });
    assert_eq!(messages.len(), 10, "{messages:#?}");
    assert!(messages[0].starts_with(
        "the field is not marked, and its type `Vec<T>` may be or contain a type with a cleanup"
    ));
}

/// Nothing in these types could be cleaned up by the type alone.
#[test]
fn a_parameter_that_is_not_owned_needs_no_mark() {
    let messages = rejected(quote! {
        pub enum Client<'a, T, U> {
            Open(AsyncDropGuard<T>),
            Borrows(&'a T, &'a mut Vec<U>, *const T, Option<&'a T>),
            Names(PhantomData<T>, fn(T) -> U, Box<dyn Fn(T) -> U + Send>),
            Shares(Arc<T>, std::sync::Weak<Mutex<U>>, Option<Rc<U>>, AsyncDropWeak<T>),
            Proves(AsyncDropGuard<T, Dropped>, Vec<AsyncDropGuard<T, Dropped>>, Proof<'a, T>),
        }
    });
    assert_eq!(messages.len(), 1, "only that it is `pub`: {messages:#?}");
}

/// Wraps tokens in a group without delimiters, as `macro_rules!` does with a `$ty`.
fn in_a_group(tokens: TokenStream) -> TokenStream {
    TokenTree::Group(Group::new(Delimiter::None, tokens)).into()
}

#[test]
fn a_guard_is_found_by_the_names_in_a_type() {
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

/// A rejected type still implements the trait, so that its uses cause no further errors.
#[test]
fn a_rejected_type_has_a_stand_in() {
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
fn all_mistakes_of_a_type_are_reported() {
    let messages = rejected(quote! {
        #[async_drop]
        #[async_drop(concurrent, concurrent, parallel = 3, error, error = E x)]
        #[async_drop(crate, crate = drops, crate = drops, first, first)]
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
                #[async_drop(map_err, skip, map_err = f)]
                e: AsyncDropGuard<E>,
            },
        }
    });
    let first_lines: Vec<&str> =
        messages.iter().map(|message| message.lines().next().unwrap()).collect();
    assert_eq!(
        first_lines,
        [
            "`#[async_drop]` marks a field, not a type",
            "`concurrent` is repeated",
            "a type has no option `parallel`",
            "`error` needs the type of the error",
            "only a comma may follow `error`",
            "`crate` needs the path of `livedrop`",
            "`crate` is repeated",
            "`first` is repeated",
            "`#[async_drop()]` has no option",
            "`async_drop` takes no value",
            "`#[async_drop]` marks a field, not a variant",
            "`#[async_drop]` and `#[async_drop(skip)]` contradict each other",
            "this field is marked twice",
            "a field has no option `ignore`",
            "`map_err` needs the path of a function",
            "`#[async_drop]` and `#[async_drop(skip)]` contradict each other",
            "the enum `Link` is `pub`: any code can construct its variants without a guard",
            "the cleanup of `Link` borrows the field `c`, but a `Live` guard is cleaned up by value",
            "the cleanup of `Link` borrows the field `d`, but a `Live` guard is cleaned up by value",
        ]
    );
    for message in messages {
        let help = message.lines().nth(1).unwrap_or_default();
        assert!(help.starts_with("help: "), "{message}");
    }
}

#[test]
fn parsing_continues_after_a_malformed_option() {
    let messages = rejected(quote! {
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
            "only a comma may follow `error`",
            "a type has no option `parallel`",
            "only a comma may follow `concurrent`",
            "a type has no option `serial`",
        ]
    );
}

#[test]
fn a_union_and_a_type_without_a_guard_are_rejected() {
    let messages = rejected(quote!(union Either { a: u8, b: AsyncDropGuard<B> }));
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
        let messages = rejected(nothing);
        assert_eq!(messages.len(), 1);
        assert!(messages[0].starts_with("`Nothing` has nothing to clean up"), "{messages:?}");
    }
}

#[test]
fn the_help_is_code_as_people_write_it() {
    let messages = rejected(quote! {
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
fn unboxed_rejects_other_items() {
    let rejected = |arguments: TokenStream, input: TokenStream| {
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
    for (arguments, message) in [
        (quote!(boxed), "takes no arguments but `crate = path`"),
        (quote!(crate = drops, boxed), "takes no arguments but `crate = path`"),
        (quote!(crate), "`crate` needs the path of `livedrop`"),
        (quote!(crate = 3), "expected identifier"),
    ] {
        assert!(rejected(arguments, good.clone()).contains(message));
    }
    assert!(rejected(none(), quote!(impl Other for X {})).contains("works only on"));
    assert!(rejected(none(), quote!(impl X {})).contains("works only on"));
    assert!(
        rejected(
            none(),
            quote!(
                trait AsyncDrop {}
            )
        )
        .contains("works only on")
    );
    let by_hand = quote! {
        impl AsyncDrop for X {
            fn async_drop_impl(&mut self) -> Pin<Box<dyn Future>> { todo!() }
        }
    };
    assert!(rejected(none(), by_hand).contains("is not an `async fn`"));
    let both = quote! {
        impl AsyncDrop for X {
            async fn async_drop_impl(&mut self) -> Result<(), ()> { Ok(()) }
            fn async_drop_unboxed(&mut self) {}
        }
    };
    assert!(rejected(none(), both).contains("generates `async_drop_unboxed`"));
    let silent = quote!(impl AsyncDrop for X { async fn async_drop_impl(&mut self) {} });
    assert!(rejected(none(), silent).contains("must return a `Result`"));
    let above = quote! {
        #[async_trait::async_trait]
        #[allow(unused)]
        impl AsyncDrop for X {
            async fn async_drop_impl(&mut self) -> Result<(), ()> { Ok(()) }
        }
    };
    let expansion = rejected(none(), above);
    assert!(expansion.contains("use only one of them"), "{expansion}");
    assert!(!expansion.contains("async_trait :: async_trait"), "{expansion}");
    assert!(expansion.contains("allow (unused)"), "{expansion}");
    let below = quote! {
        impl AsyncDrop for X {
            fn async_drop_impl<'life0, 'async_trait>(&'life0 mut self) -> Boxed<'async_trait> {
                todo!()
            }
        }
    };
    assert!(rejected(none(), below).contains("use only one of them"));
    let by_hand_with_a_lifetime = quote! {
        impl AsyncDrop for X {
            fn async_drop_impl<'a>(&'a mut self) -> Boxed<'a> { todo!() }
        }
    };
    assert!(rejected(none(), by_hand_with_a_lifetime).contains("is not an `async fn`"));
}

/// The compiler then reports that `other` is not a method of the trait.
#[test]
fn unboxed_keeps_other_items() {
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
