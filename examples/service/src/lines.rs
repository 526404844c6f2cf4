//! Reads lines from a peer that may send anything.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use crate::protocol::LONGEST;

/// Reads lines. No line takes more memory than the longest allowed line.
pub(crate) struct Lines<R> {
    reader: R,
    /// The line so far.
    line: Vec<u8>,
    /// Whether the line is too long, and is skipped up to its end.
    skipping: bool,
}

/// A line, or the end of the input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Text(String),
    /// A line that cannot be used; the reason.
    Bad(String),
    /// The peer sends nothing more.
    End,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, line: Vec::new(), skipping: false }
    }

    /// Returns the reader.
    pub(crate) fn get_mut(&mut self) -> &mut R {
        &mut self.reader
    }

    /// Reads the next line.
    ///
    /// Cancel safe: the line so far stays in `self`.
    pub(crate) async fn next(&mut self) -> io::Result<Line> {
        loop {
            let read = self.reader.fill_buf().await?;
            // There is no `.await` between here and `consume`, so no input is lost.
            let end = read.iter().position(|&byte| byte == b'\n');
            let part = &read[..end.unwrap_or(read.len())];
            if part.is_empty() && end.is_none() {
                return Ok(self.last());
            }
            if self.line.len() + part.len() > LONGEST {
                self.line.clear();
                self.skipping = true;
            }
            if !self.skipping {
                self.line.extend_from_slice(part);
            }
            let taken = part.len() + usize::from(end.is_some());
            self.reader.consume(taken);
            if end.is_some() {
                return Ok(self.complete());
            }
        }
    }

    fn complete(&mut self) -> Line {
        if std::mem::take(&mut self.skipping) {
            return Line::Bad(format!("a line has at most {LONGEST} bytes"));
        }
        let mut line = std::mem::take(&mut self.line);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        String::from_utf8(line)
            .map_or_else(|_| Line::Bad("a line is UTF-8 text".to_owned()), Line::Text)
    }

    /// Ends the input. A line without a line end is not run, because its rest may be missing.
    fn last(&mut self) -> Line {
        let cut_off = self.skipping || !self.line.is_empty();
        self.line.clear();
        self.skipping = false;
        if cut_off { Line::Bad("the last line has no end".to_owned()) } else { Line::End }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::BufReader;

    use super::*;

    async fn lines(input: &[u8]) -> Vec<Line> {
        // A small buffer, so that lines are read in pieces.
        let mut lines = Lines::new(BufReader::with_capacity(7, input));
        let mut all = Vec::new();
        loop {
            match lines.next().await.unwrap() {
                Line::End => return all,
                line => all.push(line),
            }
        }
    }

    fn text(text: &str) -> Line {
        Line::Text(text.to_owned())
    }

    #[tokio::test]
    async fn lines_are_read_whole() {
        let expected = [text("GET a"), text(""), text("a longer line")];
        assert_eq!(lines(b"GET a\r\n\na longer line\n").await, expected);
    }

    #[tokio::test]
    async fn bad_line_loses_no_other_line() {
        let longest = vec![b'x'; LONGEST];
        let input = [b"one\n", &*longest, b"\n", &*longest, b"x\ntwo\n\xff\nthree\nGE"].concat();
        let read = lines(&input).await;
        assert_eq!(read.len(), 7);
        assert_eq!(read[0], text("one"));
        assert_eq!(read[1], Line::Text("x".repeat(LONGEST)));
        assert!(matches!(&read[2], Line::Bad(why) if why.contains("1024")));
        assert_eq!(read[3], text("two"));
        assert!(matches!(&read[4], Line::Bad(why) if why.contains("UTF-8")));
        assert_eq!(read[5], text("three"));
        assert!(matches!(&read[6], Line::Bad(why) if why.contains("no end")));
    }
}
