//! What a key means. Nothing is drawn and nothing asked here: what is to be asked comes out.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Model, Tab};
use crate::run::control::protocol::Request;

/// A line of typing is no longer than this.
const TYPED_MAX: usize = 200;

/// What is being typed, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// For.
    pub purpose: Purpose,
    /// So far.
    pub text: String,
}

/// What a line is typed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// A note to the acknowledgement of this alert.
    Acknowledge(String),
    /// How long and why this alert is put aside.
    Shelve(String),
    /// Which instrument to show.
    Instrument,
}

impl Purpose {
    /// What stands before the typing.
    pub fn prompt(&self) -> String {
        match self {
            Purpose::Acknowledge(id) => format!("acknowledge {}, note: ", super::figures::short(id)),
            Purpose::Shelve(id) => {
                format!("shelve {}, how long and why (2h known fault): ", super::figures::short(id))
            }
            Purpose::Instrument => "instrument: ".to_owned(),
        }
    }
}

/// What follows from a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Do {
    /// Nothing but another picture.
    Nothing,
    /// The end.
    Quit,
    /// This is to be asked.
    Ask(Request),
}

/// A key was pressed.
pub fn press(model: &mut Model, key: KeyEvent) -> Do {
    if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c') {
        return Do::Quit;
    }
    match model.input.take() {
        Some(input) => typed(model, input, key),
        None => command(model, key.code),
    }
}

fn command(model: &mut Model, key: KeyCode) -> Do {
    let selected = model.selected.clone();
    let begin = |purpose: Purpose| Some(Input { purpose, text: String::new() });
    match key {
        KeyCode::Char('q') => return Do::Quit,
        KeyCode::Char('1') => model.tab = Tab::Overview,
        KeyCode::Char('2') => model.tab = Tab::Alerts,
        KeyCode::Char('3') if model.books.is_some() => model.tab = Tab::Instrument,
        KeyCode::Tab => {
            model.tab = match (model.tab, model.books.is_some()) {
                (Tab::Overview, _) => Tab::Alerts,
                (Tab::Alerts, true) => Tab::Instrument,
                _ => Tab::Overview,
            };
        }
        KeyCode::Down | KeyCode::Char('j') => go(model, 1),
        KeyCode::Up | KeyCode::Char('k') => go(model, -1),
        KeyCode::PageDown => go(model, 10),
        KeyCode::PageUp => go(model, -10),
        KeyCode::Char('a') => model.input = selected.and_then(|id| begin(Purpose::Acknowledge(id))),
        KeyCode::Char('s') => model.input = selected.and_then(|id| begin(Purpose::Shelve(id))),
        KeyCode::Char('u') => {
            if let Some(id) = selected {
                return Do::Ask(Request::Unshelve {
                    id: Some(id),
                    kind: None,
                    source: None,
                    instrument: None,
                });
            }
        }
        KeyCode::Char('/') if model.books.is_some() => {
            model.tab = Tab::Instrument;
            model.input = begin(Purpose::Instrument);
        }
        _ => {}
    }
    Do::Nothing
}

fn go(model: &mut Model, steps: isize) {
    let last = model.alerts.len().saturating_sub(1);
    let to = model.cursor().unwrap_or(0).saturating_add_signed(steps).min(last);
    model.selected = model.alerts.get(to).map(|a| a.id.clone());
}

fn typed(model: &mut Model, mut input: Input, key: KeyEvent) -> Do {
    match key.code {
        KeyCode::Esc => return Do::Nothing,
        KeyCode::Enter => return enter(model, &input),
        KeyCode::Backspace => drop(input.text.pop()),
        KeyCode::Char(c) if !c.is_control() && input.text.len() < TYPED_MAX => input.text.push(c),
        _ => {}
    }
    model.input = Some(input);
    Do::Nothing
}

fn enter(model: &mut Model, input: &Input) -> Do {
    let text = input.text.trim();
    let (kind, source, instrument) = (None, None, None);
    match &input.purpose {
        Purpose::Acknowledge(id) => {
            let note = (!text.is_empty()).then(|| text.to_owned());
            Do::Ask(Request::Acknowledge { id: Some(id.clone()), kind, source, instrument, note })
        }
        Purpose::Shelve(id) => match text.split_once(char::is_whitespace) {
            Some((period, reason)) => {
                let (period, reason) = (Some(period.to_owned()), reason.trim().to_owned());
                let id = Some(id.clone());
                Do::Ask(Request::Shelve { id, kind, source, instrument, period, until: None, reason })
            }
            None => {
                model.message = "say how long and why, as in: 2h known fault".to_owned();
                Do::Nothing
            }
        },
        Purpose::Instrument => {
            model.instrument = text.to_owned();
            Do::Nothing
        }
    }
}
