//! What the lines and blocks of a drawing mean, as a row of words beside small samples.

use super::paper::{STYLES, escape, mark_path};

/// The names of lines beside their colours and marks; `has_baseline` explains the dashed ones.
pub fn legend(names: &[String], has_baseline: bool) -> String {
    let mut legend = String::new();
    for (style, name) in names.iter().enumerate() {
        let class = format!("s{}", style % STYLES);
        legend.push_str(&format!(
            "<span class=\"key\"><svg viewBox=\"0 0 28 12\"><path class=\"line {class}\" d=\"M1 6H27\"/><path class=\"mark {class}\" d=\"{}\"/></svg>{}</span>",
            mark_path(style, 14.0, 6.0),
            escape(name)
        ));
    }
    if has_baseline {
        legend.push_str(key("ink then", "dashed: baseline").as_str());
    }
    legend
}

/// The names of lines without marks, each as it is drawn: the odd ones are dashed.
pub fn line_legend(names: &[String]) -> String {
    let style = |nth: usize| format!("s{}{}", nth % STYLES, if nth % 2 == 1 { " then" } else { "" });
    names.iter().enumerate().map(|(nth, name)| key(&style(nth), &escape(name))).collect()
}

/// One style of line, and what it means.
pub fn key(class: &str, words: &str) -> String {
    format!(
        "<span class=\"key\"><svg viewBox=\"0 0 28 12\"><path class=\"line {class}\" d=\"M1 6H27\"/></svg>{words}</span>"
    )
}

/// One colour of block, and what it means.
pub fn block_key(class: &str, words: &str) -> String {
    format!(
        "<span class=\"key\"><svg viewBox=\"0 0 28 12\"><rect class=\"{class}\" x=\"6\" y=\"0\" width=\"16\" height=\"12\"/></svg>{}</span>",
        escape(words)
    )
}
