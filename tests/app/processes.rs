//! Applications in child processes, which get signals and print.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::children::CHILD;
use crate::random;

/// A child process. It is killed if its test fails.
struct App {
    process: Child,
    output: BufReader<ChildStdout>,
    errors: BufReader<ChildStderr>,
}

impl App {
    fn start(child: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "children::child", "--nocapture", "--quiet"])
            .env(CHILD, child)
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let errors = BufReader::new(process.stderr.take().unwrap());
        Self { process, output, errors }
    }

    /// Reads the output up to a line that ends like this.
    fn wait_for(&mut self, line: &str) -> &mut Self {
        let mut last = String::new();
        while !last.trim_end().ends_with(line) {
            last.clear();
            assert!(self.output.read_line(&mut last).unwrap() > 0, "no {line}");
        }
        self
    }

    fn send(&mut self, signal: Signal) -> &mut Self {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
        self
    }

    /// Sends the signal again and again until the process ends.
    fn send_until_the_end(&mut self, signal: Signal) -> ExitStatus {
        for _ in 0..3000 {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            self.send(signal);
            sleep(Duration::from_millis(10));
        }
        panic!("{signal:?} does not end the process");
    }

    /// Waits for the end. Returns the status, the remaining output, and the standard error.
    fn end(&mut self) -> (ExitStatus, String, String) {
        let (mut output, mut errors) = (String::new(), String::new());
        self.output.read_to_string(&mut output).unwrap();
        self.errors.read_to_string(&mut errors).unwrap();
        (self.process.wait().unwrap(), output, errors)
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _ended = self.process.wait();
    }
}

/// The exit code of a child, and its lines of errors.
fn end_of(child: &str) -> (i32, Vec<String>) {
    let (status, _, errors) = App::start(child).end();
    (status.code().unwrap(), errors.lines().map(str::to_owned).collect())
}

#[test]
fn signal_at_any_time_loses_nothing() {
    for signal in [Signal::TERM, Signal::INT].repeat(10) {
        let mut app = App::start("load");
        app.wait_for("ready");
        sleep(Duration::from_micros(random() % 50_000));
        let (status, output, errors) = app.send(signal).end();
        assert_eq!((status.code(), &*errors), (Some(0), ""), "{output}");
        let line = output.lines().find(|line| line.ends_with(" closed")).unwrap();
        let numbers: Vec<&str> = line.split(' ').collect();
        assert!(numbers[0] == numbers[2] && numbers[0] != "0", "{line}");
    }
}

#[test]
fn second_signal_abandons_at_once() {
    let mut app = App::start("stubborn");
    app.wait_for("ready").send(Signal::INT).wait_for("stopping");
    let (status, _, errors) = app.send(Signal::TERM).end();
    assert_eq!(status.code(), Some(2), "{errors}");
    assert!(errors.contains("Error: the body did not end in time, and was dropped."), "{errors}");
    assert!(errors.contains("\n1 abandoned, because "), "{errors}");
    assert!(errors.contains(" tests/app/children.rs:"), "{errors}");
}

#[test]
fn third_signal_ends_the_process() {
    let mut app = App::start("blocked");
    let status = app.wait_for("ready").send_until_the_end(Signal::TERM);
    assert_eq!(status.signal(), Some(Signal::TERM.as_raw()));
}

#[test]
fn signal_after_the_apps_ends_the_process() {
    for last in [Signal::INT, Signal::TERM] {
        let mut app = App::start("twice");
        app.wait_for("ready").send(Signal::TERM);
        app.wait_for("ready").send(Signal::INT);
        let (status, _, _) = app.wait_for("ended").send(last).end();
        assert_eq!(status.signal(), Some(last.as_raw()));
    }
}

#[test]
fn ended_app_leaves_the_signals_to_others() {
    let mut app = App::start("both");
    app.wait_for("ready").send(Signal::TERM).wait_for("ended");
    let (status, _, _) = app.send(Signal::TERM).end();
    assert_eq!(status.signal(), Some(Signal::TERM.as_raw()));
}

#[test]
fn signal_after_a_dropped_app_ends_the_process() {
    let mut app = App::start("dropped");
    let status = app.wait_for("ready").send_until_the_end(Signal::INT);
    assert_eq!(status.signal(), Some(Signal::INT.as_raw()));
}

#[test]
fn app_without_signals_leaves_them_alone() {
    let mut app = App::start("embedded");
    let (status, _, errors) = app.wait_for("ready").send(Signal::TERM).end();
    assert_eq!((status.signal(), &*errors), (Some(Signal::TERM.as_raw()), ""));
}

#[test]
fn clean_end_prints_nothing() {
    assert_eq!(end_of("nothing"), (0, vec![]));
    assert_eq!(end_of("value"), (7, vec![]));
}

#[test]
fn error_of_the_body_is_printed_as_std_does() {
    assert_eq!(end_of("error"), (1, vec![r#"Error: the body failed: "no\nport""#.to_owned()]));
}

#[test]
fn panic_of_the_body_comes_after_the_rest() {
    let (status, _, errors) = App::start("panic").end();
    assert_eq!(status.code(), Some(101));
    assert!(errors.contains("panicked at tests/app/children.rs:"), "{errors}");
    assert!(errors.contains("\nlivedrop: the reaper could not clean up "), "{errors}");
    let rest = "\nlivedrop: beside the panic of the body:\ncould not clean up ";
    assert!(errors.contains(rest) && errors.contains(": \"disk full\"\n"), "{errors}");
}

#[test]
fn what_it_waits_for_is_printed_each_second() {
    let (code, lines) = end_of("slow");
    assert_eq!(code, 2, "{lines:#?}");
    let expected = [
        "livedrop: the reaper could not clean up Deferred<&str, ",
        "livedrop: stopping, and waiting for 1 task and 1 adopted value",
        "  1 task spawned at tests/app/children.rs:",
        "  Deferred<u8, ",
        "livedrop: the task spawned at tests/app/children.rs:",
        "livedrop: stopping, and waiting for 1 adopted value",
        "  Deferred<u8, ",
        "livedrop: stopping, and waiting for 1 adopted value",
        "  Deferred<u8, ",
        "livedrop: stopping, and waiting for 1 adopted value",
        "  Deferred<u8, ",
        "Error: the body failed: \"no port\"",
        "the task spawned at tests/app/children.rs:",
        "could not clean up Deferred<&str, ",
        "1 abandoned, because the deadline had passed or a second signal arrived. Let the owners ",
        "  Deferred<u8, ",
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line} instead of {expected}");
    }
}

#[test]
fn long_list_of_values_is_cut() {
    let mut app = App::start("hasty");
    app.wait_for("ready");
    let mut lines = Vec::new();
    while !lines.last().is_some_and(|line: &String| line.starts_with("  and 2 more")) {
        let mut line = String::new();
        assert!(app.errors.read_line(&mut line).unwrap() > 0, "{lines:#?}");
        lines.push(line);
    }
    assert_eq!(lines[0], "livedrop: stopping, and waiting for 10 adopted values\n");
    app.send(Signal::TERM);
    app.send_until_the_end(Signal::INT);
}
