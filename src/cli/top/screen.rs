//! Draws the model. It changes nothing but what the cursor of a table needs, and asks nobody.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Paragraph, Row, Table as Grid, TableState};

use super::tables::{self, Table, Tone};
use super::{Model, Tab};

/// Troubles shown at a time.
const TROUBLES: usize = 4;

fn style(model: &Model, tone: Tone) -> Style {
    let plain = Style::default();
    match (tone, model.colours) {
        (Tone::Plain, _) => plain,
        (Tone::Dim, _) => plain.add_modifier(Modifier::DIM),
        (Tone::Warn, true) => plain.fg(Color::Yellow),
        (Tone::Bad, true) => plain.fg(Color::Red),
        (Tone::Warn | Tone::Bad, false) => plain.add_modifier(Modifier::BOLD),
    }
}

/// Draws everything.
pub fn draw(frame: &mut Frame<'_>, model: &mut Model) {
    let area = frame.area();
    let Some(status) = model.status.clone() else {
        frame.render_widget(Paragraph::new(model.message.as_str()), area);
        return;
    };
    let troubles = tables::troubles(&status);
    let shown = troubles.len().min(TROUBLES) as u16;
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(1 + shown), Constraint::Fill(1), Constraint::Length(2)])
            .areas(area);
    let bold = Style::default().add_modifier(Modifier::BOLD);
    let title = if model.lost { style(model, Tone::Bad) } else { bold };
    let mut lines = vec![Line::styled(tables::header(&status, model.lost), title)];
    for (n, trouble) in troubles.iter().take(TROUBLES).enumerate() {
        let more = troubles.len() - TROUBLES.min(troubles.len());
        let more = if n + 1 == TROUBLES && more > 0 { format!(" (and {more} more)") } else { String::new() };
        lines.push(Line::styled(format!("! {trouble}{more}"), style(model, Tone::Warn)));
    }
    frame.render_widget(Paragraph::new(lines), head);
    match model.tab {
        Tab::Overview => overview(frame, model, &status, body),
        Tab::Alerts => alerts(frame, model, body),
        Tab::Instrument => instrument(frame, model, body),
    }
    footer(frame, model, foot);
}

fn overview(frame: &mut Frame<'_>, model: &mut Model, status: &crate::run::status::Status, area: Rect) {
    let before = model.before.as_ref();
    let sources = tables::sources(status, before);
    let mut small = vec![tables::receivers(status, before), tables::stages(status), tables::pairs(status)];
    small.retain(|t| !t.rows.is_empty());
    let height = |t: &Table| t.rows.len() as u16 + 2;
    // A few alerts are seen however many sources there are.
    let room_for_alerts = (model.alerts.len().clamp(1, 5) as u16 + 1).min(area.height / 3);
    let mut room = area.height.saturating_sub(room_for_alerts);
    let mut constraints = Vec::new();
    for table in std::iter::once(&sources).chain(&small) {
        let takes = height(table).min(room);
        room -= takes;
        constraints.push(Constraint::Length(takes));
    }
    constraints.push(Constraint::Fill(1));
    let areas = Layout::vertical(constraints).split(area);
    for (table, area) in std::iter::once(&sources).chain(&small).zip(areas.iter()) {
        grid(frame, model, table, *area, None);
    }
    alerts(frame, model, areas[areas.len() - 1]);
}

fn alerts(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    if model.alerts.is_empty() {
        frame.render_widget(Paragraph::new("no alert"), area);
        return;
    }
    grid(frame, model, &tables::alerts(model), area, model.cursor());
}

fn instrument(frame: &mut Frame<'_>, model: &mut Model, area: Rect) {
    let [title, body] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    frame.render_widget(Paragraph::new(super::figures::clean(&model.instrument)), title);
    match tables::instrument(model) {
        Ok(table) => grid(frame, model, &table, body, None),
        Err(why) => frame.render_widget(Paragraph::new(why), body),
    }
}

fn grid(frame: &mut Frame<'_>, model: &Model, table: &Table, area: Rect, cursor: Option<usize>) {
    let widths = table.widths();
    let last = widths.len() - 1;
    let kept = table.fitting(usize::from(area.width));
    let set = |cells: &[String]| -> Vec<Cell<'static>> {
        kept.iter().map(|c| Cell::from(table.set(*c, &cells[*c], widths[*c]))).collect()
    };
    let head: Vec<String> = table.head.iter().map(|h| (*h).to_owned()).collect();
    let head = Row::new(set(&head)).style(Style::default().add_modifier(Modifier::UNDERLINED));
    let rows = table.rows.iter().map(|(cells, tone)| Row::new(set(cells)).style(style(model, *tone)));
    let constraints = kept.iter().map(|c| match *c == last && table.figures_from > last {
        true => Constraint::Fill(1),
        false => Constraint::Length(u16::try_from(widths[*c]).unwrap_or(u16::MAX)),
    });
    let marked = Style::default().add_modifier(Modifier::REVERSED);
    let grid = Grid::new(rows, constraints).header(head).column_spacing(2).row_highlight_style(marked);
    let mut state = TableState::default().with_selected(cursor);
    frame.render_stateful_widget(grid, area, &mut state);
}

fn footer(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    let first = match &model.input {
        Some(input) => Line::from(vec![
            Span::styled(input.purpose.prompt(), Style::default().add_modifier(Modifier::BOLD)),
            Span::raw(input.text.clone()),
            Span::styled(" ", Style::default().add_modifier(Modifier::REVERSED)),
        ]),
        None => {
            let hidden = model.total.saturating_sub(model.alerts.len());
            let more = if hidden > 0 { format!("{hidden} more alerts  ") } else { String::new() };
            Line::raw(format!("{more}{}", super::figures::clean(&model.message)))
        }
    };
    let keys = match (&model.input, model.books.is_some()) {
        (Some(_), _) => "Enter does it  Esc leaves it",
        (None, true) => {
            "q quit  1 overview  2 alerts  3 instrument  / name it  up/down choose  a acknowledge  s shelve  u unshelve"
        }
        (None, false) => "q quit  1 overview  2 alerts  up/down choose  a acknowledge  s shelve  u unshelve",
    };
    let dim = Style::default().add_modifier(Modifier::DIM);
    frame.render_widget(Paragraph::new(vec![first, Line::styled(keys, dim)]), area);
}
