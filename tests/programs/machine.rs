//! Executes the statements with the library.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use livedrop::hook::{self, Cause, GuardKind, Source, Unhandled};
use livedrop::reaper::{CleanupTask, Run};
use livedrop::sync::AsyncDropWeak;
use livedrop::{AsyncDropGuard, Reaper, ReaperHandle};

use crate::guards::{AnyGuard, Kind};
use crate::making::{Opening, Shielded};
use crate::program::Hook;
use crate::sites::{self, Create, create_at};
use crate::statement::{Id, Statement};
use crate::value::{DROPPED, Value, World, set_alone, text};

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

/// The message of a panic of the hook.
const LOST: &str = "lost";

/// What the hook was told.
#[derive(Default)]
pub struct Told {
    pub losses: Vec<(Id, Cause, GuardKind)>,
    /// The failures of orphans, with the label of the handle.
    pub failures: Vec<(Id, Option<String>)>,
    /// The messages of failures that are in no report yet.
    unread: Vec<String>,
    /// The number of panics of bodies.
    pub body_panics: usize,
    /// The rules that a report broke. A panic of the hook may be caught, so it cannot assert them.
    pub broken_rules: Vec<String>,
}

pub struct Machine {
    pub world: Arc<World>,
    pub told: Rc<RefCell<Told>>,
    vars: BTreeMap<Id, AnyGuard>,
    weaks: Vec<Weak>,
    openings: BTreeMap<Id, Opening>,
    shields: BTreeMap<Id, Shielded>,
    /// `None` for a run that has ended or was dropped.
    runs: Vec<Option<Run>>,
    /// `None` for a task that has ended or was dropped.
    tasks: Arc<Mutex<Vec<Option<CleanupTask>>>>,
    reaper: Option<AsyncDropGuard<Reaper>>,
    /// The handle that adopts.
    handle: ReaperHandle,
    lanes: Vec<ReaperHandle>,
    /// `None` once all handles are dropped. The hook looks at the reaper by this one.
    plain: Rc<RefCell<Option<ReaperHandle>>>,
    _hook: hook::ScopedHook,
}

enum Weak {
    Checked(AsyncDropWeak<Value>),
    Live(AsyncDropWeak<Value, livedrop::Live>),
    Adopted(AsyncDropWeak<Value, livedrop::Adopted>),
}

impl Told {
    fn note(&mut self, unhandled: &Unhandled<'_>, world: &World, reaper: Option<&ReaperHandle>) {
        match unhandled {
            Unhandled::Forgotten { created_at, cause, kind, .. } => {
                let at = created_at.expect("it is kept in this build");
                self.losses.push((sites::number(at), *cause, *kind));
            }
            Unhandled::Failed { created_at, label, message, .. } => {
                let at = created_at.expect("it is kept in this build");
                self.failures.push((sites::number(at), label.map(str::to_owned)));
                self.unread.push((*message).to_owned());
                world.push_message(message);
                let has_entry = |reaper: &ReaperHandle| {
                    reaper.pending().iter().any(|pending| pending.created_at == Some(at))
                };
                // An orphan that is dropped because the reaper is gone has no entry.
                let by_drop = message.contains(LOST) || message.contains(DROPPED);
                if !by_drop && reaper.is_some_and(|reaper| !has_entry(reaper)) {
                    self.broken_rules.push(format!("the entry is gone: {unhandled}"));
                }
            }
            Unhandled::Suppressed { error, source, .. } => {
                let error = text(error);
                let is_of_body = error.contains("the body");
                // A guard that a body holds may panic when it is dropped.
                let may_be_of_body = is_of_body || error.contains(LOST) || error.contains(DROPPED);
                let fits = if *source == Source::Body { may_be_of_body } else { !is_of_body };
                if !fits {
                    self.broken_rules.push(format!("another source: {unhandled}"));
                }
                world.push_message(&error);
                self.body_panics += usize::from(*source == Source::Body);
            }
            _ => unreachable!("the hook gets no other report"),
        }
    }
}

impl Machine {
    pub fn new(after_the_report: Hook) -> Self {
        let world = Arc::<World>::default();
        let told = Rc::<RefCell<Told>>::default();
        let reaper = sites::reaper();
        let plain = Rc::new(RefCell::new(Some(reaper.handle())));
        let hook = {
            let (world, told, plain) = (Arc::clone(&world), Rc::clone(&told), Rc::clone(&plain));
            hook::scoped(move |unhandled| {
                told.borrow_mut().note(unhandled, &world, plain.borrow().as_ref());
                let panics = match after_the_report {
                    Hook::Records => false,
                    Hook::PanicsOnLosses => {
                        let is_suppressed = matches!(unhandled, Unhandled::Suppressed { .. });
                        !is_suppressed && !std::thread::panicking()
                    }
                    Hook::Panics => true,
                };
                // After a statement that failed, the machine is dropped with its guards.
                assert!(!(panics && EXPECTED.get()), "{LOST}");
            })
        };
        Self {
            world,
            told,
            vars: BTreeMap::new(),
            weaks: Vec::new(),
            openings: BTreeMap::new(),
            shields: BTreeMap::new(),
            runs: Vec::new(),
            tasks: Arc::default(),
            handle: reaper.handle(),
            reaper: Some(reaper),
            lanes: Vec::new(),
            plain,
            _hook: hook,
        }
    }

    /// Returns whether it panicked.
    pub fn carry_out(&mut self, statement: &Statement) -> bool {
        EXPECTED.set(true);
        let result = catch_unwind(AssertUnwindSafe(|| self.run(statement)));
        EXPECTED.set(false);
        set_alone(false);
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
