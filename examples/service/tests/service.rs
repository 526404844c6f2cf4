//! Runs the service from the command line, as a reader would.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
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

    /// Sends a request, and returns the status and the body.
    fn ask(&self, start: &str, body: &str) -> (u16, String) {
        self.ask_raw(start, "application/json", body.as_bytes())
    }

    fn ask_raw(&self, start: &str, content_type: &str, body: &[u8]) -> (u16, String) {
        let mut stream = self.send(start, content_type, body);
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn send(&self, start: &str, content_type: &str, body: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "{start} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
             content-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
        .unwrap();
        stream.write_all(body).unwrap();
        stream
    }

    fn transfer(&self, id: &str, source: i64, target: i64, amount: i64) -> u16 {
        let body = format!(
            r#"{{"id": "{id}", "source": {source}, "target": {target}, "amount": {amount}}}"#
        );
        self.ask("POST /transfers", &body).0
    }

    /// Opens accounts 1, 2 and so on.
    fn open_accounts(&self, balances: &[i64]) {
        for (id, balance) in (1..).zip(balances) {
            let opened = self.ask("POST /accounts", &format!(r#"{{"balance": {balance}}}"#));
            assert_eq!(opened, (201, format!(r#"{{"id":{id},"balance":{balance}}}"#)));
        }
    }

    fn balance(&self, id: i64) -> i64 {
        let (status, body) = self.ask(&format!("GET /accounts/{id}"), "");
        assert_eq!(status, 200);
        let (_, balance) = body.split_once(r#""balance":"#).unwrap();
        balance.trim_end_matches('}').parse().unwrap()
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
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{text}{errors}");
    // A slow machine may need more than a second for the end.
    let waiting = |line: &str| line.starts_with("livedrop: stopping, ") || line.starts_with("  ");
    assert!(errors.lines().all(waiting), "{errors}");
    // Without load, the numbers would agree, too.
    let line = |start: &str| text.lines().find(|line| line.starts_with(start)).expect(start);
    let numbers = |start: &str| -> Vec<usize> {
        let words = line(start).split(|letter: char| !letter.is_ascii_digit());
        words.filter_map(|word| word.parse().ok()).collect()
    };
    assert!(numbers("acknowledged").iter().all(|&number| number > 0), "{text}");
    assert!(numbers("not answered")[0] > 0, "{text}");
    assert!(numbers("clients")[1] > 0, "{text}");
    assert!(numbers("events")[0] > 0 && numbers("events")[1] == 8, "{text}");
    let [stored, 0, 0, _, _] = numbers("transfers stored")[..] else { panic!("{text}") };
    assert!(stored > 0, "{text}");
    assert_eq!(numbers("money"), [32_000, 32_000, 0], "{text}");
    let [begun, committed, rolled_back] = numbers("the service's own count")[..] else {
        panic!("{text}")
    };
    assert!(begun == committed + rolled_back && committed == stored, "{text}");
    assert!(numbers("cleaned up by the reaper")[0] > 0, "{text}");
    assert_eq!(numbers("left"), [0, 0, 0], "{text}");
    assert!(line("stopping").contains("no more connections"), "{text}");
    assert_eq!(text.lines().last(), Some("the numbers agree"));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn accounts_and_transfers_survive_a_restart() {
    let database = folder("restart").join("bank.db");
    let service = Service::start(&database);
    service.open_accounts(&[100, 0]);
    assert_eq!(service.transfer("a", 1, 2, 30), 201);
    assert!(service.stop(Signal::SIGINT).starts_with("stopping: "));
    assert!(!database.with_extension("db-wal").exists(), "the log was written back");

    let service = Service::start(&database);
    assert_eq!((service.balance(1), service.balance(2)), (70, 30));
    assert_eq!(service.transfer("a", 1, 2, 30), 409, "it is stored");
    assert_eq!((service.balance(1), service.balance(2)), (70, 30));
    service.stop(Signal::SIGTERM);
}

#[test]
fn bad_requests_get_4xx_and_lose_nothing() {
    let service = Service::start(&folder("bad-requests").join("bank.db"));
    service.open_accounts(&[100, 0]);
    let transfer = |body: &str| service.ask("POST /transfers", body).0;
    assert_eq!(transfer("{"), 400);
    assert_eq!(transfer(r#"{"id": "a", "source": 1, "target": 2}"#), 422);
    assert_eq!(transfer(r#"{"id": "a", "source": "1", "target": 2, "amount": 3}"#), 422);
    for (source, target, amount) in [(1, 1, 5), (1, 2, 0), (1, 2, -5), (1, 2, i64::MAX)] {
        assert_eq!(service.transfer("a", source, target, amount), 422);
    }
    let valid = br#"{"id": "a", "source": 1, "target": 2, "amount": 3}"#;
    assert_eq!(service.ask_raw("POST /transfers", "text/plain", valid).0, 415);
    assert_eq!(service.ask_raw("POST /transfers", "application/json", b"{\"id\": \"\xff").0, 400);
    assert_eq!(service.ask("POST /accounts", r#"{"balance": -1}"#).0, 422);
    assert_eq!(service.ask("GET /accounts/one", "").0, 400);
    assert_eq!(service.ask("GET /accounts/3", "").0, 404);
    assert_eq!(service.ask("GET /accounts/3/events", "").0, 404);
    assert_eq!(service.ask("DELETE /accounts/1", "").0, 405);
    assert_eq!(service.ask("GET /nothing", "").0, 404);
    assert_eq!((service.balance(1), service.balance(2)), (100, 0));
    assert_eq!(service.transfer("a", 1, 2, 3), 201, "no transfer has used the id");
    service.stop(Signal::SIGTERM);
}

#[test]
fn refused_transfer_is_rolled_back() {
    let service = Service::start(&folder("refused").join("bank.db"));
    service.open_accounts(&[100, 0]);
    assert_eq!(service.transfer("a", 1, 2, 101), 409, "the money is not there");
    assert_eq!(service.transfer("a", 1, 3, 1), 404, "the target does not exist");
    assert_eq!(service.transfer("a", 3, 1, 1), 404, "the source does not exist");
    assert_eq!(service.transfer("a", 1, 2, 1), 201);
    assert_eq!(service.transfer("a", 1, 2, 1), 409, "the id is used");
    assert_eq!((service.balance(1), service.balance(2)), (99, 1));
    service.stop(Signal::SIGTERM);
}

#[test]
fn stream_of_events_ends_with_a_goodbye() {
    let service = Service::start(&folder("events").join("bank.db"));
    service.open_accounts(&[100, 0]);
    let stream = service.send("GET /accounts/2/events", "application/json", b"");
    let lines = BufReader::new(stream).lines().map(Result::unwrap);
    let mut events = lines.filter(|line| line.starts_with("data: ") || line.starts_with("event: "));
    assert_eq!(events.next().unwrap(), "data: 0");
    assert_eq!(service.transfer("a", 1, 2, 7), 201);
    assert_eq!(events.next().unwrap(), "data: 7");
    service.stop(Signal::SIGTERM);
    assert_eq!(events.collect::<Vec<_>>(), ["event: goodbye", "data: the service stops"]);
}

#[test]
fn bad_arguments_print_one_line_and_exit_1() {
    let folder = folder("arguments");
    let missing = folder.join("no-such-folder/bank.db");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let cases: [(&[&str], &str); 5] = [
        (&[], "usage: "),
        (&["--demmo"], "usage: "),
        (&["nowhere", "bank.db"], "cannot listen on nowhere: "),
        (&[&taken, "bank.db"], "cannot listen on 127.0.0.1:"),
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
        let expected = format!("Error: the body failed: \"{expected}");
        assert!(error.starts_with(&expected) && error.lines().count() == 1, "{error}");
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "nothing is left behind");
}
