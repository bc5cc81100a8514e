//! A webhook: one POST of JSON for each notice, from a thread of its own.
//!
//! When to try again is [`Courier`]'s to say; here are the queue, the thread and the requests. A server that does not
//! answer costs its own thread's time and the oldest notices in the queue, and nobody else anything.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded, select};
use ureq::http::Uri;

use super::backoff::{Answer, Backoff, Courier, Step, Verdict};
use super::{Counters, Notice, Outlet};
use crate::run::status::OutletStatus;
use crate::source::clock::monotonic_now;

/// Bytes of an answer that are read, so that the connection can serve again.
const ANSWER_MAX: u64 = 64 << 10;

/// The webhook's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookOptions {
    /// `https://…` or `http://…`.
    pub url: String,
    /// Notices that wait at most.
    pub queue: usize,
    /// How patient to be.
    pub backoff: Backoff,
    /// How long one try may take, name lookup and answer included.
    pub timeout: Duration,
}

impl WebhookOptions {
    /// 1024 notices, five tries of five seconds.
    ///
    /// # Errors
    /// The sentence says what would be right.
    pub fn new(url: &str) -> Result<WebhookOptions, String> {
        let wrong = || format!("{url:?} is no webhook: write \"https://host/path\"");
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let known = matches!(uri.scheme_str(), Some("http" | "https"));
        if !known || uri.host().is_none_or(str::is_empty) {
            return Err(wrong());
        }
        let timeout = Duration::from_secs(5);
        Ok(WebhookOptions { url: url.to_owned(), queue: 1024, backoff: Backoff::default(), timeout })
    }

    /// The address without what may be secret: path and credentials stay out of messages.
    fn place(&self) -> String {
        let uri: Uri = self.url.parse().unwrap_or_default();
        format!("{}://{}", uri.scheme_str().unwrap_or_default(), uri.host().unwrap_or_default())
    }
}

/// The outlet.
#[derive(Debug)]
pub struct Webhook {
    queue: Sender<Notice>,
    /// The other end of the queue, to take the oldest out when it is full.
    oldest: Receiver<Notice>,
    stop: Sender<Instant>,
    ended: Receiver<()>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    counters: Counters,
    /// 1 while the worker has a notice in hand.
    in_hand: AtomicU64,
}

impl Webhook {
    /// Starts the worker. It sends nothing yet.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn start(options: WebhookOptions) -> io::Result<Webhook> {
        let (queue, waiting) = bounded(options.queue.max(1));
        let (stop, stopped) = bounded(1);
        let (end, ended) = bounded(1);
        let shared = Arc::new(Shared::default());
        let seed = RandomState::new().hash_one(&options.url);
        let worker = Worker {
            agent: agent(&options),
            courier: Courier::new(options.backoff, seed),
            place: options.place(),
            options,
            waiting: waiting.clone(),
            stopped,
            shared: Arc::clone(&shared),
        };
        thread::Builder::new().name("webhook".into()).spawn(move || {
            worker.run();
            let _ = end.send(());
        })?;
        Ok(Webhook { queue, oldest: waiting, stop, ended, shared })
    }
}

impl Outlet for Webhook {
    fn offer(&mut self, notice: &Notice) {
        let mut notice = notice.clone();
        // The worker may take one meanwhile: then there was room after all.
        while let Err(TrySendError::Full(back) | TrySendError::Disconnected(back)) =
            self.queue.try_send(notice)
        {
            if self.oldest.try_recv().is_ok() {
                self.shared.counters.dropped(1);
            }
            notice = back;
        }
    }

    fn tend(&mut self, _: Instant) {}

    fn status(&self) -> OutletStatus {
        let queued = self.oldest.len() as u64 + self.shared.in_hand.load(Ordering::Relaxed);
        self.shared.counters.status("webhook", queued)
    }

    fn close(&mut self, deadline: Instant) {
        let _ = self.stop.try_send(deadline);
        // A worker in the middle of a request is left to it; the process does not wait for it.
        let in_time = self.ended.recv_deadline(deadline).is_ok();
        let left = self.oldest.try_iter().count() as u64;
        let in_hand = if in_time { 0 } else { self.shared.in_hand.swap(0, Ordering::Relaxed) };
        self.shared.counters.dropped(left + in_hand);
    }
}

fn agent(options: &WebhookOptions) -> ureq::Agent {
    let host = options.url.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    let near = host.is_some_and(|host| matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]"));
    let mut config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(concat!("parallax/", env!("CARGO_PKG_VERSION")))
        .timeout_global(Some(options.timeout));
    if near {
        // A proxy of the environment is for the world outside.
        config = config.proxy(None);
    }
    config.build().new_agent()
}

/// The thread that posts.
struct Worker {
    agent: ureq::Agent,
    courier: Courier,
    place: String,
    options: WebhookOptions,
    waiting: Receiver<Notice>,
    stopped: Receiver<Instant>,
    shared: Arc<Shared>,
}

impl Worker {
    fn run(mut self) {
        let deadline = loop {
            match self.courier.step(monotonic_now()) {
                Step::Take => select! {
                    recv(self.waiting) -> notice => match notice {
                        Ok(notice) => self.take(notice),
                        Err(_) => return,
                    },
                    recv(self.stopped) -> deadline => match deadline {
                        Ok(deadline) => break deadline,
                        Err(_) => return,
                    },
                },
                Step::Send => self.send(self.options.timeout),
                Step::Wait(until) => match self.stopped.recv_deadline(until) {
                    Ok(deadline) => break deadline,
                    Err(error) if error.is_timeout() => {}
                    Err(_) => return,
                },
            }
        };
        self.end(deadline);
    }

    /// One try for everything that is left, until the deadline.
    fn end(&mut self, deadline: Instant) {
        self.courier.hurry();
        loop {
            let now = monotonic_now();
            let left = deadline.saturating_duration_since(now);
            match self.courier.step(now) {
                _ if left.is_zero() => break,
                Step::Take => match self.waiting.try_recv() {
                    Ok(notice) => self.take(notice),
                    Err(_) => break,
                },
                Step::Send | Step::Wait(_) => self.send(left.min(self.options.timeout)),
            }
        }
        // What is still in the queue is counted by the owner.
        self.shared.counters.dropped(self.shared.in_hand.swap(0, Ordering::Relaxed));
    }

    fn take(&mut self, notice: Notice) {
        self.shared.in_hand.store(1, Ordering::Relaxed);
        if self.courier.take(notice, monotonic_now()).is_some() {
            self.shared.counters.dropped(1);
        }
    }

    fn send(&mut self, timeout: Duration) {
        let Some(notice) = self.courier.notice() else { return };
        let answer = post(&self.agent, &self.options.url, notice, timeout);
        let verdict = self.courier.answered(monotonic_now(), &answer);
        // The owner sets this to 0 when it has counted the notice as dropped at the deadline.
        let mine = verdict_ends(&verdict).then(|| self.shared.in_hand.swap(0, Ordering::Relaxed));
        match verdict {
            Verdict::Delivered => self.shared.counters.delivered(1),
            Verdict::Again(why) => self.shared.counters.failed(format!("{}: {why}", self.place)),
            Verdict::GivenUp(why) => {
                self.shared.counters.failed(format!("{}: {why}", self.place));
                self.shared.counters.dropped(mine.unwrap_or(0));
            }
        }
    }
}

fn verdict_ends(verdict: &Verdict) -> bool {
    !matches!(verdict, Verdict::Again(_))
}

fn post(agent: &ureq::Agent, url: &str, notice: &Notice, timeout: Duration) -> Answer {
    let request = agent
        .post(url)
        .header("content-type", "application/json")
        .header("idempotency-key", header_text(&notice.idempotency_key()))
        .header("x-parallax-alert", header_text(&notice.id))
        .header("x-parallax-event", header_text(&notice.event));
    let request = request.config().timeout_global(Some(timeout)).build();
    match request.send(notice.json()) {
        Err(error) => Answer::Failed(error.to_string()),
        Ok(mut response) => {
            let seconds =
                response.headers().get("retry-after").and_then(|v| v.to_str().ok()?.trim().parse().ok());
            let _ = response.body_mut().with_config().limit(ANSWER_MAX).read_to_vec();
            Answer::Status(response.status().as_u16(), seconds.map(Duration::from_secs))
        }
    }
}

/// Only what a header may hold.
fn header_text(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(256).collect()
}
