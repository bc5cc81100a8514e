//! Explains every alert of a stream of datagrams in two passes, without a file: for tests and for tools.

use super::subject::Gathered;
use super::{Alert, Explanation, Facts, Observer, explain};
use crate::config::Config;
use crate::latency::Recorder;
use crate::pipeline::intake::Steps;
use crate::pipeline::{Note, Pipeline, Settings, Step};
use crate::source::Datagram;

/// The judge with many observers beside it.
struct WatchedByAll<'a> {
    judge: &'a mut crate::pipeline::Judge,
    observers: &'a mut [Observer],
}

impl Steps for WatchedByAll<'_> {
    fn step(&mut self, step: Step, notes: &mut Vec<Note>) {
        self.judge.begin_step(&step);
        for note in notes.iter() {
            self.judge.take(note);
            self.observers.iter_mut().for_each(|o| o.take(self.judge.now(), note, self.judge));
        }
        notes.clear();
    }

    fn until(&mut self, now: u64, _: &mut Vec<Note>) {
        self.judge.advance_through(now);
    }
}

/// Drives a closure with every datagram of a stream.
pub type Stream<'a> = dyn FnMut(&mut dyn FnMut(&Datagram<'_>)) + 'a;

/// Every alert of the stream that is `wanted`, in the order in which they were raised, with its facts and explanation.
/// `stream` is run twice and must give the same datagrams both times.
pub fn explain_all(
    config: &Config,
    stream: &mut Stream<'_>,
    wanted: &dyn Fn(&Alert) -> bool,
) -> Vec<(Alert, Facts, Explanation)> {
    let mut pipeline = Pipeline::new(config, Settings::default(), Recorder::without_log());
    let mut gathered = Gathered::default();
    stream(&mut |datagram| {
        pipeline.on_datagram(datagram);
        gathered.take(pipeline.take_alerts());
        pipeline.take_alerts().clear();
    });
    pipeline.finish();
    gathered.take(pipeline.take_alerts());
    let alerts: Vec<Alert> = gathered.finish().into_iter().filter(|a| wanted(a)).collect();
    let mut observers: Vec<Observer> = alerts.iter().map(|a| Observer::new(config, a)).collect();
    let mut pipeline = Pipeline::new(config, Settings::default(), Recorder::without_log());
    let Pipeline { intake, judge } = &mut pipeline;
    stream(&mut |datagram| {
        observers.iter_mut().for_each(|o| o.on_datagram(datagram));
        intake.on_datagram(datagram, &mut WatchedByAll { judge, observers: &mut observers });
        let lines = judge.take_alerts();
        if !lines.is_empty() {
            observers.iter_mut().for_each(|o| o.alerts(lines));
            lines.clear();
        }
    });
    let out = alerts.into_iter().zip(observers).map(|(alert, observer)| {
        let facts = observer.finish(config, intake, judge, &[]);
        let explanation = explain(&facts);
        (alert, facts, explanation)
    });
    out.collect()
}
