//! The protocol: one command per line, and one line in reply.

/// The maximum length of a line in bytes, without its line end.
pub(crate) const LONGEST: usize = 1024;

/// The reply to a successful command.
pub(crate) const OK: &str = "OK";

/// The last reply of a connection when the service stops.
pub(crate) const STOPPING: &str = "ERROR shutting down";

/// A command of a client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Run(Statement),
    Begin,
    Commit,
    RollBack,
}

/// A statement, alone or in a transaction.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Statement {
    Get(String),
    Set(String, String),
    Del(String),
}

impl Command {
    /// Parses a line. The error says what is wrong with it.
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let mut words = line.splitn(3, ' ');
        let verb = words.next().unwrap_or_default();
        let arguments = (words.next().filter(|key| !key.is_empty()), words.next());
        Ok(match (verb, arguments) {
            ("GET", (Some(key), None)) => Command::Run(Statement::Get(key.to_owned())),
            ("DEL", (Some(key), None)) => Command::Run(Statement::Del(key.to_owned())),
            ("SET", (Some(key), Some(value))) => {
                Command::Run(Statement::Set(key.to_owned(), value.to_owned()))
            }
            ("BEGIN", (None, None)) => Command::Begin,
            ("COMMIT", (None, None)) => Command::Commit,
            ("ROLLBACK", (None, None)) => Command::RollBack,
            _ => {
                return Err("not one of GET key, SET key value, DEL key, BEGIN, COMMIT, ROLLBACK"
                    .to_owned());
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_the_rest_of_its_line() {
        let set = Statement::Set("key".to_owned(), "several words ".to_owned());
        assert_eq!(Command::parse("SET key several words "), Ok(Command::Run(set)));
    }

    #[test]
    fn invalid_commands_are_rejected() {
        for line in ["", "GET", "GET ", "GET a b", "SET a", "DEL", "BEGIN now", "get a", "SET  a"] {
            assert!(Command::parse(line).is_err(), "{line:?}");
        }
    }
}
