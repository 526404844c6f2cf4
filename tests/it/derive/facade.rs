//! The macros where the crate has another path: `crate = path`.
#![no_implicit_prelude]

use ::core::assert_eq;
use ::core::default::Default;
use ::core::result::Result;

use super::{Diary, clean};
use crate::facade::drops;
use crate::support::Ending;

/// A name that the expansions must not use.
#[allow(dead_code, unused_imports, reason = "in the way")]
mod livedrop {}

struct Value(u8);

#[drops::unboxed(crate = crate::facade::drops)]
impl drops::AsyncDrop for Value {
    type Error = u8;

    async fn async_drop_impl(&mut self) -> Result<(), u8> {
        Result::Err(self.0)
    }
}

#[derive(drops::AsyncDrop)]
#[async_drop(crate = crate::facade::drops)]
struct Single {
    #[async_drop]
    value: Value,
    text: &'static str,
}

#[derive(drops::AsyncDrop)]
#[async_drop(crate = drops, concurrent)]
enum Several<T, U> {
    Open(drops::AsyncDropGuard<T>, ::std::vec::Vec<drops::AsyncDropGuard<T>>),
    #[expect(dead_code, reason = "nothing is made of it: it only has to compile")]
    Marked(#[async_drop] U),
}

/// In a macro of the façade, the path may begin with `$crate`.
macro_rules! owner {
    ($Owner:ident) => {
        #[derive(drops::AsyncDrop)]
        #[async_drop(crate = $crate::facade::drops)]
        struct $Owner {
            value: drops::AsyncDropGuard<Value>,
        }
    };
}

owner!(Owner);

#[test]
fn expansions_use_the_path_of_the_crate() {
    assert_eq!(clean(Value(1)), Result::Err(1));
    let single = Single { value: Value(2), text: "text" };
    assert_eq!(single.text, "text");
    assert_eq!(clean(single), Result::Err(2));
    assert_eq!(clean(Owner { value: drops::AsyncDropGuard::new(Value(3)) }), Result::Err(3));
    let diary = Diary::default();
    let others = ::std::vec![diary.guard("b"), diary.ending("c", 0, Ending::Err)];
    let several = Several::<_, super::Part>::Open(diary.ending("a", 0, Ending::Err), others);
    assert_eq!(clean(several).unwrap_err().len(), 2);
}
