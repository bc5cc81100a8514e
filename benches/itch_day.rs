//! A whole ITCH day, message by message: walking the framing, looking at every message, reading every field, books of
//! every symbol with the top kept after every message. One process, the parts in turn, so that a ratio is of one run.
//!
//! `cargo bench --bench itch_day -- DAY.itch [--runs N] [--part NAME]... [--reserve N] [--final OUT.csv] [--check] [--memory]`
//!
//! `DAY.itch` is a BinaryFILE (a two-byte length before each message). `--final` writes the last state of every symbol,
//! to be compared with what another program says. `--reserve` takes the memory for so many live orders before what is
//! timed. `--check` keeps a second, simple book beside the first and compares
//! the top after every message: it takes long and is not timed. `--memory` says what the books hold, a live order, along the day.

mod itch_day {
    pub mod fields;
    pub mod parts;
    pub mod reference;
}

use std::process::ExitCode;

use itch_day::parts::{self, Day, PARTS};
use itch_day::reference;

struct Asked {
    file: String,
    runs: usize,
    parts: Vec<String>,
    reserve: usize,
    last: Option<String>,
    check: bool,
    memory: bool,
}

fn asked() -> Result<Asked, String> {
    let mut asked = Asked {
        file: String::new(),
        runs: 5,
        parts: Vec::new(),
        reserve: 0,
        last: None,
        check: false,
        memory: false,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} wants a value"));
        match word.as_str() {
            "--bench" => {}
            "--runs" => asked.runs = value()?.parse().map_err(|_| "--runs wants a number".to_owned())?,
            "--part" => asked.parts.push(value()?),
            "--reserve" => {
                asked.reserve = value()?.parse().map_err(|_| "--reserve wants a number".to_owned())?;
            }
            "--final" => asked.last = Some(value()?),
            "--check" => asked.check = true,
            "--memory" => asked.memory = true,
            _ if !word.starts_with('-') && asked.file.is_empty() => asked.file = word,
            _ => return Err(format!("{word}: neither a file nor an option")),
        }
    }
    if asked.parts.is_empty() {
        asked.parts = PARTS.iter().map(|(name, _)| (*name).to_owned()).collect();
    }
    Ok(asked)
}

fn run(asked: &Asked) -> Result<(), String> {
    let file = |what| move |e: std::io::Error| format!("{what}: {e}");
    let day = std::fs::read(&asked.file).map_err(file(asked.file.clone()))?;
    if asked.check {
        return reference::compare(&day, asked.reserve);
    }
    if asked.memory {
        parts::memory(&day, Day::new(asked.reserve));
        return Ok(());
    }
    if let Some(path) = &asked.last {
        return std::fs::write(path, parts::final_state(&day, Day::new(asked.reserve)))
            .map_err(file(path.clone()));
    }
    let messages = parts::count(&day);
    let mut rows: Vec<(String, Vec<f64>, u64)> = Vec::new();
    for run in 0..asked.runs {
        for part in &asked.parts {
            let (_, work) =
                PARTS.iter().find(|(name, _)| name == part).ok_or(format!("{part}: no such part"))?;
            let books = Day::new(asked.reserve);
            let begun = parallax::source::clock::monotonic_now();
            let said = work(&day, &asked.file, books).map_err(file(asked.file.clone()))?;
            let took = begun.elapsed().as_secs_f64() * 1e9 / messages as f64;
            match rows.iter_mut().find(|row| row.0 == *part) {
                Some(row) if row.2 == said => row.1.push(took),
                Some(row) => return Err(format!("{part} said {said} in run {run}, {} before", row.2)),
                None => rows.push((part.clone(), vec![took], said)),
            }
        }
    }
    println!("{messages} messages, {} bytes", day.len());
    for (part, mut took, said) in rows {
        took.sort_by(f64::total_cmp);
        let (least, middle, most) = (took[0], took[took.len() / 2], took[took.len() - 1]);
        println!("{part:<12} {middle:8.2} ns/message [{least:.2}-{most:.2}]  says {said}");
    }
    Ok(())
}

fn main() -> ExitCode {
    let Some(_) = std::env::args().skip(1).find(|a| a != "--bench") else {
        // `cargo bench` without a file has nothing to measure here.
        println!("itch_day: no file; see benches/README.md");
        return ExitCode::SUCCESS;
    };
    match asked().and_then(|asked| run(&asked)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("itch_day: {sentence}");
            ExitCode::from(2)
        }
    }
}
