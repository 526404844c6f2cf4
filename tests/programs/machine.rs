//! Executes the statements with the library.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

use livedrop::hook::{self, Cause, Unhandled};
use livedrop::reaper::Run;
use livedrop::sync::AsyncDropWeak;
use livedrop::{AsyncDropGuard, Reaper, ReaperHandle};

use crate::guards::{AnyGuard, Kind};
use crate::making::Opening;
use crate::sites::{self, Create, create_at};
use crate::statement::{Id, Statement};
use crate::value::{Value, World};

mod carry_out;

thread_local! {
    /// Whether this thread is expected to panic.
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Keeps the messages of expected panics out of the output.
pub fn silence_expected_panics() {
    let others = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !EXPECTED.get() {
            others(info);
        }
    }));
}

/// A loss that was reported; `None` for one in the report of `abandon`.
pub type Loss = (Id, Option<Cause>);

pub struct Machine {
    pub world: Arc<World>,
    pub losses: Rc<RefCell<Vec<Loss>>>,
    vars: BTreeMap<Id, AnyGuard>,
    weaks: Vec<Weak>,
    openings: BTreeMap<Id, Opening>,
    run: Option<Run>,
    reaper: Option<AsyncDropGuard<Reaper>>,
    handle: ReaperHandle,
    _hook: hook::ScopedHook,
}

enum Weak {
    Checked(AsyncDropWeak<Value>),
    Live(AsyncDropWeak<Value, livedrop::Live>),
    Adopted(AsyncDropWeak<Value, livedrop::Adopted>),
}

impl Machine {
    pub fn new(hook_panics: bool) -> Self {
        let world = Arc::<World>::default();
        let losses = Rc::<RefCell<Vec<Loss>>>::default();
        let (sink, for_errors) = (Rc::clone(&losses), Arc::clone(&world));
        let hook = hook::scoped(move |unhandled| match unhandled {
            Unhandled::Forgotten { created_at, cause, .. } => {
                let at = created_at.expect("it is kept in this build");
                sink.borrow_mut().push((sites::number(at), Some(*cause)));
                assert!(!hook_panics || std::thread::panicking(), "lost");
            }
            Unhandled::Suppressed { error, .. } => for_errors.push_message(&format!("{error:?}")),
            _ => unreachable!("the hook gets no other report"),
        });
        let reaper = sites::reaper();
        Self {
            world,
            losses,
            vars: BTreeMap::new(),
            weaks: Vec::new(),
            openings: BTreeMap::new(),
            run: None,
            handle: reaper.handle(),
            reaper: Some(reaper),
            _hook: hook,
        }
    }

    /// Returns whether it panicked.
    pub fn carry_out(&mut self, statement: &Statement) -> bool {
        EXPECTED.set(true);
        let result = catch_unwind(AssertUnwindSafe(|| self.run(statement)));
        EXPECTED.set(false);
        let Err(payload) = result else { return false };
        let text = match payload.downcast::<String>() {
            Ok(text) => *text,
            Err(payload) => (*payload.downcast::<&str>().expect("a text")).to_owned(),
        };
        assert!(!text.contains("assertion") && !text.contains("model"), "{statement}: {text}");
        self.world.push_message(&text);
        true
    }

    fn create<S: Kind>(&mut self, id: Id, create: Create<'_, S>) {
        let guard = create_at(id, create, &self.handle).expect("the model has the value");
        self.vars.insert(id, guard);
    }

    fn take(&mut self, id: Id) -> AnyGuard {
        self.vars.remove(&id).expect("the model has this guard")
    }
}
