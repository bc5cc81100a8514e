//! What the drawings share: the paper, its frame and its value axis, as inline SVG.
//! Colours are classes; the page's style says what they are by day, night and on paper.

use std::fmt::Write as _;

use super::scale::ValueScale;

/// Width of a drawing in its own units; the page scales it.
pub const WIDTH: f64 = 960.0;
/// Space left of the frame for the value axis's labels.
pub const LEFT: f64 = 78.0;
/// Room for half of the last label of the horizontal axis.
const RIGHT: f64 = 40.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 48.0;

/// Different colours and marks; further series begin again.
pub const STYLES: usize = 8;

/// A drawing that is being written.
pub struct Paper {
    svg: String,
    /// What is written in the frame, to lie above every line.
    words: String,
    height: f64,
    scale: ValueScale,
}

impl Paper {
    /// An empty frame with its value axis. `label` describes the drawing to those who
    /// cannot see it.
    pub fn new(height: f64, scale: ValueScale, label: &str) -> Self {
        let mut chart = Self { svg: String::new(), words: String::new(), height, scale };
        let _ = write!(
            chart.svg,
            "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">",
            escape(label)
        );
        for (value, text) in scale.ticks() {
            let y = chart.y(value);
            let class = if value == 0 { "zero" } else { "grid" };
            let _ = write!(
                chart.svg,
                "<path class=\"{class}\" d=\"M{LEFT} {y:.1}H{:.1}\"/><text class=\"tick end\" x=\"{:.1}\" y=\"{:.1}\">{text}</text>",
                WIDTH - RIGHT,
                LEFT - 8.0,
                y + 4.0
            );
        }
        chart
    }

    /// Horizontal position of a part (0 to 1) of the width.
    pub fn x(&self, part: f64) -> f64 {
        LEFT + part.clamp(0.0, 1.0) * (WIDTH - RIGHT - LEFT)
    }

    /// Vertical position of a value.
    pub fn y(&self, value_ns: i64) -> f64 {
        self.height - BOTTOM - self.scale.at(value_ns) * (self.height - BOTTOM - TOP)
    }

    /// A mark of the horizontal axis with its label.
    pub fn x_tick(&mut self, part: f64, text: &str) {
        let (x, bottom) = (self.x(part), self.height - BOTTOM);
        let _ = write!(
            self.svg,
            "<path class=\"grid\" d=\"M{x:.1} {TOP}V{bottom}\"/><text class=\"tick mid\" x=\"{x:.1}\" y=\"{}\">{}</text>",
            bottom + 20.0,
            escape(text)
        );
    }

    /// The title of the horizontal axis.
    pub fn x_title(&mut self, text: &str) {
        let (x, y) = (self.x(0.5), self.height - 6.0);
        let _ =
            write!(self.svg, "<text class=\"tick mid\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escape(text));
    }

    /// A line of style `class` through points (part of the width, value), broken before
    /// each point whose flag is set. A lone point becomes a dot.
    pub fn line(&mut self, class: &str, points: impl Iterator<Item = (f64, i64, bool)>) {
        let mut path = String::new();
        for (nth, (part, value, is_break)) in points.enumerate() {
            let (x, y) = (self.x(part), self.y(value));
            // `h0` makes even a piece of one point visible, with round line caps.
            let _ = match nth == 0 || is_break {
                true => write!(path, "M{x:.1} {y:.1}h0"),
                false => write!(path, "L{x:.1} {y:.1}"),
            };
        }
        let _ = write!(self.svg, "<path class=\"line {class}\" d=\"{path}\"/>");
    }

    /// A mark of a series' style, with a text that shows when pointed at.
    pub fn mark(&mut self, style: usize, part: f64, value: i64, title: &str) {
        let (x, y) = (self.x(part), self.y(value));
        let _ = write!(
            self.svg,
            "<path class=\"mark s{}\" d=\"{}\"><title>{}</title></path>",
            style % STYLES,
            mark_path(style, x, y),
            escape(title)
        );
    }

    /// A filled block from part `from` to part `to` of the width and from `low` to `high`, with a text that shows when
    /// pointed at. What is there is seen: a block is at least a hair wide and high.
    pub fn block(&mut self, class: &str, (from, to): (f64, f64), (low, high): (i64, i64), title: &str) {
        let (x, width) = (self.x(from), (self.x(to) - self.x(from)).max(0.6));
        let (y, base) = (self.y(high), self.y(low));
        let height = (base - y).max(if high > low { 1.2 } else { 0.0 });
        let _ = write!(
            self.svg,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"><title>{}</title></rect>",
            base - height,
            escape(title)
        );
    }

    /// A stretch of the width over the whole height, behind what is drawn after it.
    pub fn shade(&mut self, class: &str, (from, to): (f64, f64), title: &str) {
        let (x, width) = (self.x(from), (self.x(to) - self.x(from)).max(0.6));
        let _ = write!(
            self.svg,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{:.1}\"><title>{}</title></rect>",
            self.height - BOTTOM - TOP,
            escape(title)
        );
    }

    /// An upright line over the whole height, with words in row `row` from the top.
    pub fn flag(&mut self, part: f64, row: usize, text: &str) {
        let (x, y) = (self.x(part), TOP + 12.0 + 14.0 * row as f64);
        let (anchor, at) = if part > 0.7 { ("end", x - 5.0) } else { ("start", x + 5.0) };
        let _ = write!(self.svg, "<path class=\"flag\" d=\"M{x:.1} {TOP}V{:.1}\"/>", self.height - BOTTOM);
        self.word(anchor, (at, y), text);
    }

    /// Words in the frame, at a part of its width, in row `row` from the top.
    pub fn words(&mut self, class: &str, part: f64, row: usize, text: &str) {
        let (x, y) = (self.x(part), TOP + 12.0 + 14.0 * row as f64);
        self.word(class, (x, y), text);
    }

    fn word(&mut self, class: &str, (x, y): (f64, f64), text: &str) {
        let _ = write!(
            self.words,
            "<text class=\"word {class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
            escape(text)
        );
    }

    /// The finished drawing: words lie above every line.
    pub fn finish(mut self) -> String {
        self.svg.push_str(&self.words);
        self.svg.push_str("</svg>\n");
        self.svg
    }
}

/// The outline of a mark: shapes differ so that paper without colour can be read.
pub fn mark_path(style: usize, x: f64, y: f64) -> String {
    match style % 4 {
        0 => format!("M{:.1} {y:.1}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", x - 4.0),
        1 => format!("M{:.1} {:.1}h7v7h-7z", x - 3.5, y - 3.5),
        2 => format!("M{x:.1} {:.1}l4.5 8h-9z", y - 5.0),
        _ => format!("M{x:.1} {:.1}l5 5l-5 5l-5 -5z", y - 5.0),
    }
}

/// Text for HTML and SVG, contents and attributes. Control characters become `?`.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() => safe.push('?'),
            c => safe.push(c),
        }
    }
    safe
}
