//! The statements of the reaper.

use livedrop::reaper::{Report, Stage};

use super::drop_by;
use crate::guards::poll;
use crate::machine::Machine;
use crate::sites;
use crate::statement::Statement;

impl Machine {
    pub(super) fn run_reaper(&mut self, statement: &Statement) {
        match *statement {
            Statement::Drain { polls } => {
                let report = poll(&self.world, self.reaper().drain(), Some(polls));
                if let Some(report) = report {
                    self.read(&report);
                }
            }
            Statement::Spawn => self.run = Some(self.reaper().run()),
            Statement::Run { polls } => {
                let run = self.run.as_mut().expect("it runs");
                let _over = poll(&self.world, run, Some(polls));
            }
            Statement::StopRun => drop(self.run.take()),
            Statement::Close => self.reaper().close(),
            Statement::Abandon => {
                let report = self.reaper().abandon();
                self.read(&report);
            }
            Statement::CleanReaper { polls } => {
                let reaper = self.reaper.as_mut().expect("it is there");
                if let Some(Err(report)) = poll(&self.world, reaper.async_drop(), polls) {
                    self.read(&report);
                }
            }
            Statement::DropReaper { unwinding } => drop_by(self.reaper.take(), unwinding),
            _ => unreachable!("it is about a guard"),
        }
    }

    fn reaper(&self) -> &livedrop::Reaper {
        self.reaper.as_ref().expect("the model has a reaper")
    }

    fn read(&self, report: &Report) {
        for failure in &report.failures {
            self.world.push_message(&failure.message);
        }
        for pending in report.abandoned.iter().filter(|left| left.stage == Stage::Orphaned) {
            let at = pending.created_at.expect("it is kept in this build");
            self.losses.borrow_mut().push((sites::number(at), None));
        }
    }
}
