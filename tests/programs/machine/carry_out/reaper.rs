//! The statements of the reaper.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use livedrop::reaper::{CleanupTask, Failure, Pending, Report};
use livedrop::{AsyncDropGuard, Reaper};

use super::drop_by;
use crate::guards::poll;
use crate::machine::{LOST, Machine};
use crate::sites;
use crate::statement::{Named, Statement};
use crate::value::{DROPPED, drop_caught};

/// A waker that panics.
struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("the waker panicked");
    }
}

impl Machine {
    pub(super) fn run_reaper(&mut self, statement: &Statement) {
        match *statement {
            Statement::Use { lane } => self.use_lane(lane),
            Statement::Drain { polls, cleaned } => {
                let report = poll(&self.world, self.reaper().drain(), Some(polls));
                self.read(report, cleaned);
            }
            Statement::TakeReport { cleaned } => {
                self.read(Some(self.reaper().take_report()), Some(cleaned));
            }
            Statement::Pending { ref names } => Self::check_names(&self.handle.pending(), names),
            Statement::Limit { limit } => self.reaper().set_concurrency(limit.into()),
            Statement::Spawn { spawns: false } => {
                let run = self.reaper().run();
                self.runs.push(Some(run));
            }
            Statement::Spawn { spawns: true } => {
                let tasks = Arc::clone(&self.tasks);
                let run =
                    self.reaper().run_with(move |task| tasks.lock().unwrap().push(Some(task)));
                self.runs.push(Some(run));
            }
            Statement::PollTask { task: index, polls, ends } => {
                let mut task = self.take_task(index);
                let has_ended = poll(&self.world, &mut task, polls).is_some();
                assert_eq!(has_ended, ends, "the task has ended");
                if !has_ended {
                    self.tasks.lock().unwrap()[index] = Some(task);
                }
            }
            Statement::DropTask { task } => drop(self.take_task(task)),
            Statement::Run { run: index, polls, ends } => {
                let run = self.runs[index].as_mut().expect("the model has it");
                let has_ended = poll(&self.world, run, polls).is_some();
                assert_eq!(has_ended, ends, "the run has ended");
                if has_ended {
                    self.runs[index] = None;
                }
            }
            Statement::Wake { run, guard, cleans } => {
                let run = self.runs[run].as_mut().expect("the model has it");
                let waker = Waker::from(Arc::new(Panics));
                let poll = Pin::new(run).poll(&mut Context::from_waker(&waker));
                assert!(poll.is_pending(), "the run waits");
                if cleans {
                    self.clean(guard, None);
                } else {
                    drop(self.take(guard));
                }
            }
            Statement::StopRun { run } => drop(self.runs[run].take()),
            Statement::Close => self.reaper().close(),
            Statement::Abandon { ref names, cleaned } => {
                let mut report = self.reaper().abandon();
                Self::check_names(&report.abandoned, names);
                report.abandoned.clear();
                // The hook is not told of the panics of the values that this has dropped.
                let by_drop = |message: &str| message.contains(LOST) || message.contains(DROPPED);
                let told = self.told.borrow().unread.len();
                for left in report.failures.drain(told..) {
                    assert!(by_drop(&left.message), "dropped");
                    self.world.push_message(&left.message);
                }
                self.read(Some(report), Some(cleaned));
            }
            Statement::CleanReaper { polls, cleaned } => {
                let reaper = self.reaper.as_mut().expect("it is there");
                match poll(&self.world, reaper.async_drop(), polls) {
                    Some(Ok(())) => {
                        assert!(cleaned.is_some(), "ends");
                        assert!(self.told.borrow().unread.is_empty(), "a failure is in a report");
                    }
                    Some(Err(report)) => {
                        assert!(!report.failures.is_empty(), "a failure is in the report");
                        self.read(Some(report), cleaned);
                    }
                    None => self.read(None, cleaned),
                }
            }
            Statement::DropReaper { unwinding } => drop_by(self.reaper.take(), unwinding),
            Statement::DropHandles => {
                // Another reaper has no effect.
                let other = AsyncDropGuard::into_inner_without_cleanup(Reaper::new());
                self.handle = other.handle();
                self.lanes.clear();
                *self.plain.borrow_mut() = None;
            }
            _ => unreachable!("it is about a guard"),
        }
    }

    fn take_task(&self, task: usize) -> CleanupTask {
        self.tasks.lock().unwrap()[task].take().expect("the model has it")
    }

    fn reaper(&self) -> &Reaper {
        self.reaper.as_ref().expect("the model has a reaper")
    }

    fn use_lane(&mut self, lane: Option<usize>) {
        let plain = Rc::clone(&self.plain);
        let plain = plain.borrow().clone().expect("handles are dropped at the end");
        self.handle = match lane {
            None => plain,
            Some(lane) => {
                if lane == self.lanes.len() {
                    // A label keeps the lane.
                    self.lanes.push(plain.ordered().with_label(lane.to_string()));
                }
                self.lanes[lane].clone()
            }
        };
    }

    /// Compares the report with the model, and with the failures that the hook was told of.
    fn read(&self, report: Option<Report>, cleaned: Option<usize>) {
        assert_eq!(report.as_ref().map(|report| report.cleaned), cleaned, "cleaned");
        let Some(report) = report else { return };
        let unread = std::mem::take(&mut self.told.borrow_mut().unread);
        let read = |failure: Failure| {
            let message = failure.message.clone();
            drop_caught(failure);
            message
        };
        let failures: Vec<_> = report.failures.into_iter().map(read).collect();
        assert_eq!(failures, unread, "a report has the failures that the hook was told of");
        assert!(report.abandoned.is_empty(), "nothing is abandoned twice");
    }

    fn check_names(pending: &[Pending], names: &[Named]) {
        let mut found: Vec<_> = pending
            .iter()
            .map(|pending| {
                let at = pending.created_at.expect("it is kept in this build");
                let Pending { stage, cleanup_has_begun, .. } = *pending;
                Named { id: sites::number(at), stage, has_begun: cleanup_has_begun }
            })
            .collect();
        let mut names = names.to_vec();
        // A stack is followed by its members, so the order is not the order of adoption.
        found.sort_by_key(|named| named.id);
        names.sort_by_key(|named| named.id);
        assert_eq!(found, names, "named");
    }
}
