//! Lays the user's rows over the shipped ones.

use super::read::overlap;
use super::row::Row;

/// `over` holds on its own days; what is left of the rows below holds on the others.
pub fn lay(rows: &mut Vec<Row>, over: Vec<Row>) {
    rows.retain(|row| !over.iter().any(|o| o.id == row.id && o.kind == row.kind));
    for row in &over {
        let parts: Vec<Row> = rows.drain(..).flat_map(|below| left_of(below, row)).collect();
        *rows = parts;
    }
    rows.extend(over);
}

/// What is left of `below` where `over` holds too: what lies before it and what lies behind it.
fn left_of(below: Row, over: &Row) -> Vec<Row> {
    if !overlap(&below, over) {
        return vec![below];
    }
    let before = Row { valid_until: over.valid_from, ..below.clone() };
    let behind = over.valid_until.map(|until| Row { valid_from: Some(until), ..below.clone() });
    let there =
        |row: &Row| row.valid_until.is_none_or(|until| row.valid_from.is_some_and(|from| from < until));
    let mut left = Vec::new();
    if below.valid_from < over.valid_from {
        left.push(before);
    }
    left.extend(behind.filter(there));
    left
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::*;
    use crate::rules::row::{Citation, Kind, Values};

    fn row(id: &str, from: Date, until: Option<Date>) -> Row {
        Row {
            id: id.to_owned(),
            kind: Kind::OddLots,
            market: "US".to_owned(),
            class: String::new(),
            valid_from: Some(from),
            valid_until: until,
            verified: true,
            source: Citation {
                document: "d".to_owned(),
                section: "s".to_owned(),
                url: String::new(),
                seen: from,
            },
            note: String::new(),
            place: ("f".to_owned(), 1),
            values: Values::Policy("n".to_owned(), "s".to_owned()),
        }
    }

    fn spans(rows: &[Row]) -> Vec<String> {
        let mut spans: Vec<String> = rows.iter().map(|r| format!("{} {}", r.validity(), r.id)).collect();
        spans.sort();
        spans
    }

    #[test]
    fn a_row_in_the_middle_leaves_both_ends() {
        let mut rows = vec![row("old", date(2010, 1, 1), None)];
        lay(&mut rows, vec![row("mine", date(2020, 1, 1), Some(date(2021, 1, 1)))]);
        let wanted = [
            "from 2010-01-01 until 2020-01-01 old",
            "from 2020-01-01 until 2021-01-01 mine",
            "from 2021-01-01 old",
        ];
        assert_eq!(spans(&rows), wanted);
    }

    #[test]
    fn the_same_id_replaces_and_what_is_covered_goes() {
        let mut rows =
            vec![row("a", date(2010, 1, 1), Some(date(2015, 1, 1))), row("b", date(2015, 1, 1), None)];
        lay(&mut rows, vec![row("a", date(2012, 1, 1), None)]);
        assert_eq!(spans(&rows), ["from 2012-01-01 a"]);
    }
}
