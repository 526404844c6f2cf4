//! Runs the service from the command line, as a reader would.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const SERVICE: &str = env!("CARGO_BIN_EXE_livedrop-service-example");

/// The service on a port of its own. It is killed if its test fails.
struct Service {
    process: Child,
    output: BufReader<ChildStdout>,
    address: String,
}

impl Service {
    fn start(database: &Path) -> Self {
        let mut process = Command::new(SERVICE)
            .arg("127.0.0.1:0")
            .arg(database)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on ").unwrap().to_owned();
        Self { process, output, address }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).unwrap()
    }

    /// Sends all lines, closes this side, and returns the replies.
    fn ask(&self, lines: &[u8]) -> Vec<String> {
        let mut stream = self.connect();
        stream.write_all(lines).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        BufReader::new(stream).lines().map(Result::unwrap).collect()
    }

    /// Stops the service and returns its output.
    fn stop(mut self, signal: Signal) -> String {
        kill(Pid::from_raw(self.process.id().cast_signed()), signal).unwrap();
        let mut output = String::new();
        self.output.read_to_string(&mut output).unwrap();
        assert!(self.process.wait().unwrap().success(), "{output}");
        output
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _ended = self.process.wait();
    }
}

/// Creates a folder for the database of one test.
fn folder(test: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _absent = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn the_numbers_of_the_demo_agree() {
    let folder = folder("demo");
    let output = Command::new(SERVICE)
        .arg("--demo")
        .env("TMPDIR", &folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    // Without load, the numbers would agree, too.
    let line = |start: &str| text.lines().find(|line| line.starts_with(start)).expect(start);
    let numbers = |start: &str| -> Vec<usize> {
        let words = line(start).split(|letter: char| !letter.is_ascii_digit());
        words.filter_map(|word| word.parse().ok()).collect()
    };
    assert!(numbers("acknowledged")[0] > 100, "{text}");
    assert!(numbers("not answered")[0] > 0, "{text}");
    assert!(numbers("clients")[1] > 10, "{text}");
    let [expected, stored, 0, 0] = numbers("rows")[..] else { panic!("{text}") };
    assert!(expected == stored && stored > 100, "{text}");
    assert_eq!(numbers("left"), [0, 0, 0], "{text}");
    assert!(line("SIGTERM").contains("no more connections"), "{text}");
    assert!(line("waiting for").contains("connection.rs"), "{text}");
    assert_eq!(text.lines().last(), Some("the numbers agree"));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn stored_rows_survive_a_restart() {
    let database = folder("restart").join("pairs.db");
    let service = Service::start(&database);
    assert_eq!(
        service.ask(b"SET a one\nSET b two words\nDEL a\nDEL a\n"),
        ["OK", "OK", "OK", "NONE"]
    );
    assert!(service.stop(Signal::SIGINT).starts_with("SIGINT: "));
    assert!(!database.with_extension("db-wal").exists(), "the log was written back");

    let service = Service::start(&database);
    assert_eq!(service.ask(b"GET a\nGET b\n"), ["NONE", "VALUE two words"]);
    assert!(service.stop(Signal::SIGTERM).ends_with("stopped\n"));
}

#[test]
fn bad_line_gets_an_error_and_loses_nothing_else() {
    let service = Service::start(&folder("bad-lines").join("pairs.db"));
    let long = [b"SET long ", &vec![b'x'; 100_000][..], b"\n"].concat();
    let lines =
        [b"BEGIN\nSET a 1\nfrob\n", &long[..], b"SET \xff 1\nGET a\nCOMMIT\nGET a\nCOMMIT\nGET"];
    let replies = service.ask(&lines.concat());
    let expected =
        ["OK", "OK", "ERROR ", "ERROR ", "ERROR ", "VALUE 1", "OK", "VALUE 1", "ERROR ", "ERROR "];
    assert_eq!(replies.len(), expected.len(), "{replies:?}");
    for (reply, expected) in replies.iter().zip(expected) {
        assert!(reply.starts_with(expected), "{replies:?}");
    }
    assert!(replies[3].contains("1024 bytes") && replies[4].contains("UTF-8"), "{replies:?}");
    assert!(replies[9].contains("no end"), "{replies:?}");
    service.stop(Signal::SIGTERM);
}

#[test]
fn transaction_of_a_closed_connection_is_rolled_back() {
    let service = Service::start(&folder("left").join("pairs.db"));
    let replies = service.ask(b"SET a 1\nBEGIN\nSET a 2\nGET a\n");
    let error = "ERROR closed in a transaction: rolled back";
    assert_eq!(replies, ["OK", "OK", "OK", "VALUE 2", error]);
    assert_eq!(service.ask(b"BEGIN\nDEL a\nROLLBACK\nGET a\n"), ["OK", "OK", "OK", "VALUE 1"]);
    service.stop(Signal::SIGTERM);
}

#[test]
fn open_transaction_is_rolled_back_at_shutdown() {
    let database = folder("open").join("pairs.db");
    let service = Service::start(&database);
    let mut stream = service.connect();
    stream.write_all(b"BEGIN\nSET a 1\n").unwrap();
    let mut replies = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
    assert_eq!([replies.next(), replies.next()].map(Option::unwrap), ["OK", "OK"]);
    let output = service.stop(Signal::SIGTERM);
    assert!(output.contains("resources, the oldest: Connection "), "{output}");
    assert_eq!(replies.next().unwrap(), "ERROR shutting down: rolled back");
    assert_eq!(replies.next(), None);

    let service = Service::start(&database);
    assert_eq!(service.ask(b"GET a\n"), ["NONE"]);
    service.stop(Signal::SIGTERM);
}

#[test]
fn idle_transaction_times_out() {
    let service = Service::start(&folder("late").join("pairs.db"));
    let mut idle = service.connect();
    idle.write_all(b"BEGIN\n").unwrap();
    let mut replies = BufReader::new(idle.try_clone().unwrap()).lines().map(Result::unwrap);
    assert_eq!(replies.next().unwrap(), "OK");
    assert_eq!(service.ask(b"SET a 1\n"), ["OK"]);
    assert_eq!(replies.next().unwrap(), "ERROR the transaction took too long: rolled back");
    // The connection continues.
    idle.write_all(b"GET a\n").unwrap();
    assert_eq!(replies.next().unwrap(), "VALUE 1");
    service.stop(Signal::SIGTERM);
}

#[test]
fn bad_arguments_print_one_line_and_exit_1() {
    let folder = folder("arguments");
    let missing = folder.join("no-such-folder/pairs.db");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let cases: [(&[&str], &str); 5] = [
        (&[], "usage: "),
        (&["--demmo"], "usage: "),
        (&["nowhere", "pairs.db"], "cannot listen on nowhere: "),
        (&[&taken, "pairs.db"], "cannot listen on 127.0.0.1:"),
        (&["127.0.0.1:0", missing.to_str().unwrap()], "cannot open "),
    ];
    for (arguments, expected) in cases {
        let output = Command::new(SERVICE)
            .args(arguments)
            .current_dir(&folder)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        let expected = format!("livedrop-service-example: {expected}");
        assert!(error.starts_with(&expected) && error.lines().count() == 1, "{error}");
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "nothing is left behind");
}
