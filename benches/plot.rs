//! Draws the table of the bench `growth`: the time of a cleanup against the number of guards.
//!
//! `benches/README.md` has the command.

use std::fmt::{self, Display, Write};
use std::io;

/// A row of the table. Those with a limit are not drawn.
struct Point {
    container: String,
    waits: u32,
    entries: f64,
    nanoseconds: f64,
}

impl Point {
    /// `None` for the head of the table, and for lines around it.
    fn parse(line: &str) -> Option<Self> {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let ["", container, waits, "all", entries, each, ..] = cells[..] else {
            return None;
        };
        let entries = entries.parse().ok()?;
        let each: f64 = each.parse().ok()?;
        let (container, waits) = (container.to_owned(), waits.parse().ok()?);
        Some(Self { container, waits, entries, nanoseconds: each * entries })
    }
}

/// The place of two logarithmic axes on the picture.
struct Panel {
    left: f64,
    title: &'static str,
    waits: u32,
}

const PANELS: [Panel; 2] = [
    Panel { left: 62.0, title: "no cleanup waits", waits: 0 },
    Panel { left: 432.0, title: "every cleanup waits once", waits: 1 },
];
const TOP: f64 = 50.0;
const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 330.0;
/// Powers of ten: guards, and nanoseconds.
const ENTRIES: [(i32, &str); 4] = [(3, "1,000"), (4, "10,000"), (5, "100,000"), (6, "1,000,000")];
const TIMES: [(i32, &str); 7] = [
    (3, "1 µs"),
    (4, "10 µs"),
    (5, "100 µs"),
    (6, "1 ms"),
    (7, "10 ms"),
    (8, "100 ms"),
    (9, "1 s"),
];

/// Containers in the order of the legend, with their colours. The lines without the library are dashed.
const LINES: [(&str, &str, &str); 6] = [
    ("map", "#1a73e8", ""),
    ("vec", "#188038", ""),
    ("stack", "#9334e6", ""),
    ("reaper", "#b3261e", ""),
    ("futures", "#777", "6 4"),
    ("boxed futures", "#222", "2 3"),
];

impl Panel {
    fn x(&self, entries: f64) -> f64 {
        self.left + (entries.log10() - 3.0) / 3.0 * WIDTH
    }

    fn y(nanoseconds: f64) -> f64 {
        TOP + (9.0 - nanoseconds.log10()) / 6.0 * HEIGHT
    }

    fn draw(&self, points: &[Point], svg: &mut impl Write) -> fmt::Result {
        let (left, right, bottom) = (self.left, self.left + WIDTH, TOP + HEIGHT);
        let title = self.title;
        writeln!(svg, r#"  <text x="{left}" y="{}" font-weight="600">{title}</text>"#, TOP - 14.0)?;
        for (power, label) in TIMES {
            let y = Self::y(10_f64.powi(power));
            writeln!(svg, r##"  <path d="M{left} {y:.1}H{right}" stroke="#ddd"/>"##)?;
            let (x, y) = (left - 6.0, y + 4.0);
            writeln!(svg, r#"  <text x="{x}" y="{y:.1}" text-anchor="end">{label}</text>"#)?;
        }
        for (power, label) in ENTRIES {
            let x = self.x(10_f64.powi(power));
            writeln!(svg, r##"  <path d="M{x:.1} {TOP}V{bottom}" stroke="#ddd"/>"##)?;
            let y = bottom + 18.0;
            writeln!(svg, r#"  <text x="{x:.1}" y="{y}" text-anchor="middle">{label}</text>"#)?;
        }
        let (x, y) = (left + WIDTH / 2.0, bottom + 36.0);
        writeln!(svg, r#"  <text x="{x}" y="{y}" text-anchor="middle">guards</text>"#)?;
        for (container, colour, dashes) in LINES {
            let is_of_line =
                |point: &&Point| point.container == container && point.waits == self.waits;
            let path: Vec<_> = points
                .iter()
                .filter(is_of_line)
                .map(|point| {
                    format!("{:.1} {:.1}", self.x(point.entries), Self::y(point.nanoseconds))
                })
                .collect();
            if path.is_empty() {
                continue;
            }
            line(svg, path.join("L"), colour, dashes)?;
        }
        Ok(())
    }
}

fn line(svg: &mut impl Write, path: impl Display, colour: &str, dashes: &str) -> fmt::Result {
    let style = r#"fill="none" stroke-width="2""#;
    writeln!(svg, r#"  <path d="M{path}" {style} stroke="{colour}" stroke-dasharray="{dashes}"/>"#)
}

fn draw(points: &[Point]) -> Result<String, fmt::Error> {
    let mut svg = String::from(concat!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 470" "#,
        r#"font-family="system-ui, sans-serif" font-size="12" role="img" "#,
        r#"aria-label="The time of a cleanup against the number of guards: straight lines">"#,
        "\n",
        r##"  <rect width="780" height="470" fill="#fff"/>"##,
        "\n",
    ));
    for panel in PANELS {
        panel.draw(points, &mut svg)?;
    }
    let mut x = PANELS[0].left;
    for (container, colour, dashes) in LINES {
        line(&mut svg, format_args!("{x} 448h28"), colour, dashes)?;
        writeln!(svg, r#"  <text x="{}" y="452">{container}</text>"#, x + 34.0)?;
        x += 112.0;
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Run as a test, it has nothing to read.
    if !std::env::args().any(|argument| argument == "--bench") {
        let row = Point::parse("| map | 0 | all | 1000 | 50 | 67.6 | 24.3 |");
        assert!(draw(&[row.expect("it is a row")])?.contains("<path"));
        return Ok(());
    }
    let table = io::read_to_string(io::stdin())?;
    let points: Vec<_> = table.lines().filter_map(Point::parse).collect();
    if points.is_empty() {
        return Err("there is no table of the bench `growth` on the standard input".into());
    }
    print!("{}", draw(&points)?);
    Ok(())
}
