//! Requests and answers as bytes: HTTP/1.1 (RFC 9112), of which it knows GET and HEAD without a body.
//!
//! It knows no socket and keeps nothing between calls. Any bytes are a request, part of one, or wrong in a way that
//! has a status.

use super::Page;
use super::health::health;
use super::metrics::{metrics, older};

/// Bytes of a request's head; Prometheus sends about 300.
pub const REQUEST_MAX: usize = 8 << 10;

/// What the front of a buffer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// Not all of it is there.
    Part,
    /// A request.
    Request(Request<'a>),
    /// No request: the status that says why.
    Wrong(u16),
}

/// A request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// Bytes of its head.
    pub length: usize,
    /// HEAD: the answer has no body.
    pub head: bool,
    /// Target up to its query.
    pub path: &'a str,
    /// The other end wants to go on afterwards.
    pub keep: bool,
    /// It understands OpenMetrics.
    pub openmetrics: bool,
}

/// Reads the front of a buffer.
pub fn parse(buffer: &[u8]) -> Parsed<'_> {
    let within = buffer.get(..REQUEST_MAX.min(buffer.len())).unwrap_or_default();
    let Some(end) = within.windows(4).position(|four| four == b"\r\n\r\n") else {
        return if buffer.len() >= REQUEST_MAX { Parsed::Wrong(431) } else { Parsed::Part };
    };
    let Ok(text) = std::str::from_utf8(within.get(..end).unwrap_or_default()) else {
        return Parsed::Wrong(400);
    };
    let mut lines = text.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (method, target, version) = (words.next(), words.next(), words.next());
    let (Some(method), Some(target), Some(version), None) = (method, target, version, words.next()) else {
        return Parsed::Wrong(400);
    };
    let newer = match version {
        "HTTP/1.1" => true,
        "HTTP/1.0" => false,
        other if other.starts_with("HTTP/") => return Parsed::Wrong(505),
        _ => return Parsed::Wrong(400),
    };
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let mut request =
        Request { length: end + 4, head: method == "HEAD", path, keep: newer, openmetrics: false };
    for line in lines {
        // Spaces before the colon and folded lines are refused (section 5): readers disagree about them.
        let Some((name, value)) =
            line.split_once(':').filter(|(n, _)| !n.is_empty() && !n.contains([' ', '\t']))
        else {
            return Parsed::Wrong(400);
        };
        let value = value.trim_matches([' ', '\t']);
        match name.to_ascii_lowercase().as_str() {
            "connection" if has(value, "close") => request.keep = false,
            "connection" if has(value, "keep-alive") => request.keep = true,
            "accept" => request.openmetrics |= value.contains("application/openmetrics-text"),
            // A body would have to be read past; no GET needs one.
            "transfer-encoding" => return Parsed::Wrong(413),
            "content-length" if value != "0" => return Parsed::Wrong(413),
            _ => {}
        }
    }
    match method {
        "GET" | "HEAD" => Parsed::Request(request),
        _ => Parsed::Wrong(405),
    }
}

/// Whether a list of words holds one, in any case.
fn has(list: &str, word: &str) -> bool {
    list.split(',').any(|w| w.trim().eq_ignore_ascii_case(word))
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// Bytes of the buffer that it answers.
    pub taken: usize,
    /// The connection ends with it.
    pub last: bool,
    /// Head and body.
    pub bytes: Vec<u8>,
}

/// The answer to what the buffer begins with, once it is all there.
pub fn answer(buffer: &[u8], page: &mut dyn Page) -> Option<Answer> {
    match parse(buffer) {
        Parsed::Part => None,
        Parsed::Wrong(status) => {
            let body = format!("{status} {}\n", reason(status));
            Some(Answer { taken: buffer.len(), last: true, bytes: write(status, TEXT, &body, false, false) })
        }
        Parsed::Request(request) => {
            let (status, kind, body) = respond(&request, page);
            let bytes = write(status, kind, &body, request.head, request.keep);
            Some(Answer { taken: request.length, last: !request.keep, bytes })
        }
    }
}

const TEXT: &str = "text/plain; charset=utf-8";

fn respond(request: &Request<'_>, page: &mut dyn Page) -> (u16, &'static str, String) {
    match request.path {
        "/metrics" => {
            let page = metrics(page.status());
            match request.openmetrics {
                true => (200, "application/openmetrics-text; version=1.0.0; charset=utf-8", page),
                false => (200, "text/plain; version=0.0.4; charset=utf-8", older(&page)),
            }
        }
        "/healthz" => {
            let health = health(page.status());
            (if health.well() { 200 } else { 503 }, "application/json", health.json())
        }
        "/" => (200, TEXT, "Parallax\n/metrics\n/healthz\n".to_owned()),
        _ => (404, TEXT, "404 Not Found: there are /metrics and /healthz\n".to_owned()),
    }
}

fn write(status: u16, kind: &str, body: &str, head: bool, keep: bool) -> Vec<u8> {
    let connection = if keep { "keep-alive" } else { "close" };
    let allow = if status == 405 { "Allow: GET, HEAD\r\n" } else { "" };
    let mut out = format!(
        "HTTP/1.1 {status} {}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\n{allow}Connection: {connection}\r\n\r\n",
        reason(status),
        body.len(),
    )
    .into_bytes();
    if !head {
        out.extend_from_slice(body.as_bytes());
    }
    out
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Error",
    }
}
