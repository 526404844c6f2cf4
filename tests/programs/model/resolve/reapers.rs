//! The operations of the reaper.

use super::*;

impl Resolver {
    /// Does nothing if the reaper is gone, or no run is alive.
    pub(super) fn take_of_reaper(&mut self, op: Op) -> Option<()> {
        match op {
            Op::Use { pick } => self.use_lane(pick),
            Op::Run { pick, polls } => {
                if self.model.runs == 0 {
                    self.spawn(false)?;
                }
                let run = self.pick_run(pick)?;
                self.poll_run(run, Some(polls));
            }
            Op::PollTask { pick, polls } => {
                let task = self.pick_task(pick)?;
                self.poll_spawned(task, polls);
            }
            Op::DropTask { pick } => {
                let task = self.pick_task(pick)?;
                self.model.may_return().then_some(())?;
                self.drop_task(task);
            }
            Op::Wake { pick, run, cleans } => {
                if self.model.runs == 0 {
                    self.spawn(false)?;
                }
                let run = self.pick_run(run)?;
                self.poll_run(run, Some(1));
                self.wake(run, pick, cleans)?;
            }
            Op::StopRun { pick } => {
                let run = self.pick_run(pick)?;
                self.stop(run);
            }
            Op::DropReaper { unwinding } => {
                self.reaper?;
                self.drop_reaper(unwinding);
            }
            Op::Pending => {
                let names = self.model.entries.values().copied().collect();
                self.record(Statement::Pending { names });
            }
            _ => {
                self.reaper.filter(|phase| *phase != Phase::Done)?;
                self.take_of_living_reaper(op)?;
            }
        }
        Some(())
    }

    fn take_of_living_reaper(&mut self, op: Op) -> Option<()> {
        match op {
            Op::Drain { polls } => {
                let mut cleaned = None;
                for _ in 0..polls {
                    self.model.drain();
                    if self.model.entries.is_empty() {
                        cleaned = Some(self.take_cleaned());
                        break;
                    }
                }
                self.record(Statement::Drain { polls, cleaned });
            }
            Op::TakeReport => {
                let cleaned = self.take_cleaned();
                self.record(Statement::TakeReport { cleaned });
            }
            Op::Spawn { spawns } => {
                (self.model.runs < 3 && !(spawns && self.has_map)).then_some(())?;
                self.needs_order |= spawns;
                self.spawn(spawns)?;
            }
            Op::Limit { limit } => {
                (!self.has_map).then_some(())?;
                self.needs_order = true;
                self.model.limit = Some(limit.into());
                self.record(Statement::Limit { limit });
            }
            Op::Close => {
                self.model.closed = true;
                self.record(Statement::Close);
            }
            Op::Abandon => {
                let names = self.model.abandon();
                let cleaned = self.take_cleaned();
                self.record(Statement::Abandon { names, cleaned });
            }
            Op::CleanReaper { polls } => self.clean_reaper(Some(polls)),
            _ => unreachable!("it is about a guard"),
        }
        Some(())
    }

    /// Adopts a guard by the handle that is in use.
    pub(super) fn adopt(&mut self, id: Id) -> Option<Entry> {
        self.model.add_entry(id, Stage::Alive, self.lane)
    }

    fn use_lane(&mut self, pick: u8) {
        // 0 is the plain handle: proptest then leaves the lanes out.
        self.lane = usize::from(pick % 4).checked_sub(1);
        if let Some(lane) = &mut self.lane {
            *lane = (*lane).min(self.lanes);
            self.lanes = self.lanes.max(*lane + 1);
        }
        self.record(Statement::Use { lane: self.lane });
    }

    fn take_cleaned(&mut self) -> usize {
        std::mem::take(&mut self.model.cleaned)
    }

    fn spawn(&mut self, spawns: bool) -> Option<()> {
        self.reaper.filter(|phase| *phase != Phase::Done)?;
        self.runs.push(Run { is_alive: true, spawns });
        self.model.runs += 1;
        self.record(Statement::Spawn { spawns });
        Some(())
    }

    /// Picks a task that was neither dropped nor polled to its end.
    fn pick_task(&mut self, pick: u8) -> Option<usize> {
        self.are_tasks_open.resize(self.model.tasks.len(), true);
        let open: Vec<usize> =
            (0..self.are_tasks_open.len()).filter(|task| self.are_tasks_open[*task]).collect();
        open.get(usize::from(pick).checked_rem(open.len())?).copied()
    }

    fn poll_spawned(&mut self, task: usize, polls: Polls) {
        let mut polled = 0;
        let mut ends = false;
        while !ends && polls.is_none_or(|polls| polled < polls) {
            ends = self.model.poll_task_of_run(task);
            polled += 1;
        }
        self.are_tasks_open[task] = !ends;
        self.record(Statement::PollTask { task, polls, ends });
    }

    fn drop_task(&mut self, task: usize) {
        self.are_tasks_open[task] = false;
        let mut panics = false;
        self.model.return_orphan(task, &mut panics);
        self.statements.push((Statement::DropTask { task }, panics));
    }

    fn pick_run(&self, pick: u8) -> Option<usize> {
        let alive: Vec<usize> =
            (0..self.runs.len()).filter(|run| self.runs[*run].is_alive).collect();
        alive.get(usize::from(pick).checked_rem(alive.len())?).copied()
    }

    fn poll_run(&mut self, run: usize, polls: Polls) {
        let mut polled = 0;
        let spawns = self.runs[run].spawns;
        while self.runs[run].is_alive && polls.is_none_or(|polls| polled < polls) {
            self.model.drive(spawns);
            if self.model.closed && self.model.entries.is_empty() {
                self.runs[run].is_alive = false;
                self.model.runs -= 1;
            }
            polled += 1;
        }
        self.record(Statement::Run { run, polls, ends: !self.runs[run].is_alive });
    }

    fn wake(&mut self, run: usize, pick: u8, cleans: bool) -> Option<()> {
        self.runs[run].is_alive.then_some(())?;
        let id = self.pick(pick, |guard| {
            if cleans { self.model.is_last(guard) } else { self.model.would_be_next(guard) }
        })?;
        if cleans {
            self.clean(id, None);
        } else {
            self.drop_guard(id, false);
        }
        self.statements.pop();
        self.statements.push((Statement::Wake { run, guard: id, cleans }, true));
        Some(())
    }

    fn stop(&mut self, run: usize) {
        self.runs[run].is_alive = false;
        self.model.runs -= 1;
        let mut panics = false;
        self.model.lose_orphans(&mut panics);
        self.statements.push((Statement::StopRun { run }, panics));
    }

    fn clean_reaper(&mut self, polls: Polls) {
        let mut cleaned = None;
        let mut polled = 0;
        let left = |polled| polls.is_none_or(|polls| polled < polls);
        while self.reaper != Some(Phase::Done) && left(polled) {
            polled += 1;
            self.model.closed = true;
            self.model.drain();
            self.reaper = Some(Phase::CleaningUp);
            if self.model.entries.is_empty() {
                self.reaper = Some(Phase::Done);
                self.model.settle(REAPER, Settled::Discharged);
                self.model.gone = true;
                cleaned = Some(self.take_cleaned());
            }
        }
        self.record(Statement::CleanReaper { polls, cleaned });
    }

    fn drop_reaper(&mut self, unwinding: bool) {
        let mut panics = unwinding;
        let cause = match self.reaper.take() {
            Some(Phase::Armed) => Some(Cause::Forgotten),
            Some(Phase::CleaningUp) => Some(Cause::CancelledInCleanup),
            _ => None,
        };
        if let Some(cause) = cause {
            self.model.report(REAPER, cause, GuardKind::OfReaper, &mut panics);
            self.model.gone = true;
            self.model.lose_orphans(&mut panics);
        }
        self.statements.push((Statement::DropReaper { unwinding }, panics));
    }

    /// Ends the reaper. No variable is left.
    pub(super) fn finish(&mut self, finish: Finish) {
        for run in 0..self.runs.len() {
            let Run { is_alive, spawns } = self.runs[run];
            if is_alive && (spawns || finish != Finish::Run) {
                self.stop(run);
            }
        }
        if finish == Finish::Run && self.model.runs == 0 {
            let _gone = self.spawn(false);
        }
        while finish != Finish::Drop
            && let Some(task) = self.pick_task(0)
        {
            if self.model.may_return() {
                self.drop_task(task);
            } else {
                self.poll_spawned(task, None);
            }
        }
        if finish == Finish::Clean && self.reaper.is_some_and(|phase| phase != Phase::Done) {
            self.clean_reaper(None);
        }
        if self.reaper.is_some() {
            self.drop_reaper(false);
        }
        // The tasks have their orphans, even if the reaper is gone.
        while let Some(task) = self.pick_task(0) {
            self.poll_spawned(task, None);
        }
        if finish == Finish::Run {
            self.model.closed = true;
            self.record(Statement::DropHandles);
            while let Some(run) = self.pick_run(0) {
                self.poll_run(run, None);
            }
        }
    }
}
