//! Who was first and by how much: a histogram over a log-symmetric axis through zero. Left of zero the second of the two
//! was first, and that side has the same right to the paper.

use super::paper::Paper;
use super::scale::{ValueScale, label as duration, thousands};

/// What is drawn.
#[derive(Debug, Clone, Copy)]
pub struct LeadLag<'a> {
    /// The two that are compared.
    pub names: [&'a str; 2],
    /// How much later the second was than the first, nanoseconds, ascending, and how often.
    pub values: &'a [(i64, u64)],
    /// Where and by which clock the times were taken, as it ends the sentence "receive times ...".
    pub points: &'a str,
}

/// Columns over the width.
const COLUMNS: usize = 120;

/// Draws the picture.
pub fn draw(picture: &LeadLag<'_>) -> String {
    let LeadLag { names: [first, second], values, points } = *picture;
    let across = ValueScale::new(values.iter().map(|(ns, _)| *ns).chain([0]));
    let columns = columns(values, &across);
    let most = columns.iter().map(|column| column.iter().sum::<u64>()).max().unwrap_or(0);
    // A fifth more than the highest column: the words stand above it.
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let up = ValueScale::from_zero(most.saturating_add(most / 5), thousands);
    let mut paper = Paper::new(
        270.0,
        up,
        &format!("How much later {second} was than {first}: how often each time occurred"),
    );
    for (ns, text) in across.ticks() {
        paper.x_tick(across.at(ns), &text);
    }
    for (nth, column) in columns.iter().enumerate() {
        draw_column(&mut paper, picture, (nth, column), &across);
    }
    let zero = across.at(0);
    paper.flag(zero, 2, "same time");
    let count = |wanted: fn(i64) -> bool| {
        let counted = values.iter().filter(|(ns, _)| wanted(*ns)).map(|(_, n)| n).sum::<u64>();
        i64::try_from(counted).unwrap_or(i64::MAX)
    };
    paper.words("s1 start", 0.005, 0, &format!("{second} first: {}", thousands(count(|ns| ns < 0))));
    paper.words("s0 end", 0.995, 0, &format!("{first} first: {}", thousands(count(|ns| ns > 0))));
    paper.x_title(&format!("time of {second} less time of {first}; receive times {points}"));
    paper.finish()
}

/// How often each column's values occurred, by sign: below zero, zero, above.
fn columns(values: &[(i64, u64)], across: &ValueScale) -> Vec<[u64; 3]> {
    let mut columns = vec![[0u64; 3]; COLUMNS];
    for &(ns, count) in values {
        let nth = ((across.at(ns) * COLUMNS as f64) as usize).min(COLUMNS - 1);
        let sign = (ns.signum() + 1) as usize;
        columns[nth][sign] = columns[nth][sign].saturating_add(count);
    }
    columns
}

/// One column; the one that holds zero may have values on both sides, which stand on each other.
fn draw_column(
    paper: &mut Paper,
    picture: &LeadLag<'_>,
    (nth, column): (usize, &[u64; 3]),
    across: &ValueScale,
) {
    let part = |n: usize| n as f64 / COLUMNS as f64;
    let (from, to) = (across.column(nth, COLUMNS), across.column(nth + 1, COLUMNS));
    let mut low = 0i64;
    for (sign, count) in column.iter().enumerate().filter(|(_, count)| **count > 0) {
        let high = low.saturating_add(i64::try_from(*count).unwrap_or(i64::MAX));
        let (class, who) = match sign {
            0 => ("block s1", format!("{} first", picture.names[1])),
            1 => ("block soft", "same time".to_owned()),
            _ => ("block s0", format!("{} first", picture.names[0])),
        };
        let title = format!("{} to {}: {count} times, {who}", duration(from), duration(to));
        paper.block(class, (part(nth) + 0.0006, part(nth + 1) - 0.0006), (low, high), &title);
        low = high;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_and_every_value_are_on_the_paper() {
        let values = [(-15_400, 1), (-100, 4_000), (0, 3), (50, 180), (6_100, 2)];
        let svg = draw(&LeadLag { names: ["a<", "b"], values: &values, points: "of one machine" });
        let sum = |who: &str| -> u64 {
            let titles = svg
                .split("<title>")
                .skip(1)
                .filter(|t| t.split("</title>").next().is_some_and(|t| t.contains(who)));
            titles
                .map(|t| {
                    t.split(": ")
                        .nth(1)
                        .and_then(|t| t.split(' ').next())
                        .and_then(|n| n.parse::<u64>().ok())
                        .unwrap_or(0)
                })
                .sum()
        };
        assert_eq!([sum("b first"), sum("a&lt; first"), sum("same time")], [4_001, 182, 3]);
        assert!(svg.contains("b first: 4,001") && svg.contains("receive times of one machine"), "{svg}");
    }

    #[test]
    fn anything_can_be_drawn() {
        for values in
            [&[][..], &[(0, 1)], &[(i64::MIN, u64::MAX), (i64::MAX, u64::MAX)], &[(5, 1)], &[(-5, 9)]]
        {
            let svg = draw(&LeadLag { names: ["a", "b"], values, points: "" });
            assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }
}
